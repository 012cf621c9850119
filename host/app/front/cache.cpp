#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/base/error.hpp"
#include "host/console/table.hpp"
#include "host/console/terminal.hpp"
#include "host/console/units.hpp"
#include "host/loader/private_folder.hpp"
#include "host/loader/search.hpp"
#include "host/store/latent_file.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kUnlimited = 1 << 20;  // columns

struct Entry {
  fs::path file;
  std::string kind;  // the folder's name
  std::string what;
  uint64_t bytes = 0;
  std::time_t used = 0;  // last
  bool whole = true;     // false: of no use to anybody
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void look_at_latents(Entry& entry) {
  const int descriptor = loader::open_private(entry.file, O_RDONLY);
  std::string page(store::kLatentPage, '\0');
  const bool read = descriptor >= 0 && ::pread(descriptor, page.data(), page.size(), 0) == ssize_t(page.size());
  if (descriptor >= 0) ::close(descriptor);
  const auto header = read && entry.file.extension() == ".latents" ? store::latent_header(page) : std::nullopt;
  entry.whole = header.has_value();
  entry.what = header                                    ? header->what + " " + shape_text(header->shape)
               : entry.file.extension() == loader::kPart ? "being written, or left by a killed run"
                                                         : "of another version, or damaged";
}

void look_at(Entry& entry) {
  const std::string ending = entry.file.extension().string();
  if (entry.kind == "latents") return look_at_latents(entry);
  entry.whole = ending == (entry.kind == "index" ? ".json" : ".txt");
  entry.what = !entry.whole                            ? "left by a killed program"
               : entry.kind == "sums"                  ? "hashes of a data set's files"
               : entry.file.filename() == "files.json" ? "hashes of plugins"
                                                       : "what a plugin offers";
}

std::vector<Entry> entries() {
  const fs::path root = loader::cache_root().path;
  std::vector<Entry> all;
  for (const char* kind : {"index", "sums", "latents"}) {
    std::error_code none;
    for (const auto& file : fs::directory_iterator(root / kind, none)) {
      struct stat info {};
      if (root.empty() || ::lstat(file.path().c_str(), &info) != 0 || S_ISDIR(info.st_mode)) continue;
      Entry& entry = all.emplace_back(Entry{file.path(), kind, "", uint64_t(info.st_size), info.st_mtime, true});
      look_at(entry);
    }
  }
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.kind, a.used, a.file) < std::tie(b.kind, b.used, b.file);
  });
  return all;
}

void check_root() {
  if (const loader::CacheRoot root = loader::cache_root(); root.path.empty())
    throw Error("there is no cache: " + root.problem, "perrin cache", "set XDG_CACHE_HOME to a folder of yours");
}

std::string day_of(std::time_t time) {
  char text[32];
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

json to_json(const Entry& e) {
  return {{"file", e.file.string()}, {"kind", e.kind}, {"what", e.what},
          {"bytes", e.bytes},        {"used", e.used}, {"whole", e.whole}};
}

// As one object: where the cache is, and what lies or lay there.
std::string json_of(const std::vector<Entry>& entries) {
  json out = {{"folder", loader::cache_root().path.string()}, {"files", json::array()}};
  for (const Entry& e : entries) out["files"].push_back(to_json(e));
  return json_text(out, 2);
}

uint64_t bytes_of(const std::vector<Entry>& entries) {
  uint64_t bytes = 0;
  for (const Entry& e : entries) bytes += e.bytes;
  return bytes;
}

bool goes(const Entry& e, const options::variables_map& values) {
  if (values.count("all")) return true;
  return !e.whole || (values.count("unused") && std::time(nullptr) - e.used > values["unused"].as<int64_t>() * 86400);
}

}  // namespace

Command cache_list_options() {
  return {"cache list", {}, "Lists what lies in the cache, and what is of no use any more.", "perrin cache list"};
}

int cache_list_command(const std::vector<std::string>& arguments) {
  const auto values = parse(cache_list_options(), arguments);
  if (!values) return 0;
  check_root();
  const std::vector<Entry> all = entries();
  if (values->count("json")) return std::cout << json_of(all), 0;
  console::Table table({"KIND", "USED", "SIZE", "WHAT", "FILE"});
  for (const Entry& e : all)
    table.add({e.kind, day_of(e.used), console::bytes(e.bytes), e.what, e.file.filename().string()});
  const auto terminal = console::Terminal::of(STDOUT_FILENO);
  std::cout << table.text(terminal.tty ? terminal.width : kUnlimited) << console::bytes(bytes_of(all)) << " in "
            << loader::cache_root().path.string() << "\n";
  return 0;
}

Command cache_prune_options() {
  Command c("cache prune", {},
            "Removes what killed runs left and what no version reads any more. All that is in the cache is made again "
            "when it is needed.",
            "perrin cache prune --unused 30");
  c.add("unused", whole("DAYS"), "also what was not used for so many days");
  c.add_flag("all", "everything");
  return c;
}

int cache_prune_command(const std::vector<std::string>& arguments) {
  const auto values = parse(cache_prune_options(), arguments);
  if (!values) return 0;
  check_root();
  std::vector<Entry> removed;
  for (const Entry& e : entries())
    if (goes(e, *values) && loader::remove_unheld(e.file)) removed.push_back(e);
  if (values->count("json")) return std::cout << json_of(removed), 0;
  std::cout << "removed " << removed.size() << (removed.size() == 1 ? " file, " : " files, ")
            << console::bytes(bytes_of(removed)) << "\n";
  return 0;
}

}  // namespace perrin::app
