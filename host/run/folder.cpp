#include "host/run/folder.hpp"

#include <ctime>
#include <fstream>

#include "host/base/error.hpp"
#include "host/store/atomic_file.hpp"

namespace perrin::run {
namespace {

namespace fs = std::filesystem;

std::string utc_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return text;
}

void make(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    throw Error("cannot create the folder: " + failure.message(), folder.string(), "choose another place with --out");
}

void write(const fs::path& file, const std::string& text) {
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  store::write_atomically(file, parts);
}

}  // namespace

Folder create_folder(const config::Loaded& loaded, const std::optional<fs::path>& out) {
  const fs::path path =
      out ? *out : fs::path("results") / loaded.experiment.name / (utc_stamp() + "-" + loaded.hash.substr(0, 8));
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    throw Error("the run folder exists already", path.string(),
                "continue it with `perrin resume " + path.string() + "`, or choose another with --out");
  }
  const Folder folder{fs::absolute(path).lexically_normal()};
  make(folder.checkpoints());
  make(folder.samples());
  write(folder.origin(), fs::absolute(loaded.file).parent_path().string() + "\n");
  write(folder.experiment(), loaded.resolved_toml);
  return folder;
}

std::vector<fs::path> data_folders(const Folder& folder) {
  std::vector<fs::path> folders = {folder.path};
  std::ifstream file(folder.origin());
  for (std::string line; std::getline(file, line) && !line.empty();) folders.emplace_back(line);
  return folders;
}

Folder open_folder(const fs::path& path) {
  std::error_code ignored;
  const fs::path given = (fs::current_path() / path).lexically_normal();
  if (!fs::exists(given, ignored))
    throw Error("there is no such run", given.string(), "name a folder that `perrin run` printed");
  fs::path trimmed = fs::is_directory(given, ignored) ? given : given.parent_path();
  if (!trimmed.has_filename()) trimmed = trimmed.parent_path();
  if (!fs::exists(Folder{trimmed}.experiment(), ignored)) {
    throw Error("this is not a run folder: it has no experiment.toml", trimmed.string(),
                "name a folder that `perrin run` printed");
  }
  return Folder{trimmed};
}

}  // namespace perrin::run
