#include "host/config/include.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "host/config/parse.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

namespace fs = std::filesystem;

std::string nearest_file(const fs::path& file) {
  std::vector<std::string> names;
  std::error_code ignored;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored))
    if (at->path().extension() == ".toml") names.push_back(at->path().filename().string());
  const std::string near = nearest(file.filename().string(), names);
  return near.empty() ? "" : "did you mean " + quote((file.parent_path() / near).string(), 200) + "?";
}

class Includer {
 public:
  explicit Includer(Log& log) : log_(log) {}

  Table read(std::string text, const std::string& name) {
    const Source& source = log_.sources().add(name, std::move(text));
    chain_.push_back(fs::weakly_canonical(name, ignored_));
    auto parsed = parse_toml(source.text, name);
    if (auto* fault = std::get_if<SyntaxFault>(&parsed)) {
      log_.error(fault->at, fault->message, fault->hint);
      return {};
    }
    Table& table = std::get<Table>(parsed);
    auto is_include = [](const Entry& entry) { return entry.name == "include"; };
    const Entry* include = table.find("include");
    if (include == nullptr) return std::move(table);
    Table base = read_base(*include, name);
    std::erase_if(table.entries, is_include);
    merge(base, std::move(table));
    return base;
  }

 private:
  Table read_base(const Entry& include, const std::string& from) {
    const std::string* target = include.node.text();
    if (target == nullptr || target->empty()) {
      log_.error(include.node.at, "\"include\" must be text, the path of one file",
                 "it is relative to the including file");
      return {};
    }
    const fs::path file = (fs::path(from).parent_path() / *target).lexically_normal();
    const fs::path identity = fs::weakly_canonical(file, ignored_);
    for (const fs::path& open : chain_)
      if (open == identity)
        return log_.error(include.node.at, quote(*target) + " includes itself", cycle(identity)), Table{};
    if (chain_.size() > static_cast<size_t>(kDeepestInclude))
      return log_.error(include.node.at, "includes are nested more than " + std::to_string(kDeepestInclude) + " deep"),
             Table{};
    try {
      return read(read_file(file), file.string());
    } catch (const Error& fault) {
      log_.error(include.node.at, "cannot include: " + std::string(fault.what()), fault.fix);
      return {};
    }
  }

  std::string cycle(const fs::path& again) const {
    std::string text;
    for (const fs::path& file : chain_) text += file.filename().string() + " -> ";
    return printable(text + again.filename().string());
  }

  Log& log_;
  std::vector<fs::path> chain_;
  std::error_code ignored_;
};

}  // namespace

std::string read_file(const fs::path& file) {
  std::error_code fault;
  const std::string shown = quote(file.string(), 200);
  const fs::file_status status = fs::status(file, fault);
  if (status.type() == fs::file_type::not_found) throw Error("no file " + shown, "", nearest_file(file), Exit::usage);
  if (fs::is_directory(status)) throw Error(shown + " is a folder, not a TOML file", "", "", Exit::usage);
  if (fs::exists(status) && !fs::is_regular_file(status))  // a pipe would be waited for
    throw Error(shown + " is no file but a pipe, a socket or a device", "", "save the experiment to a file", Exit::usage);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("cannot read " + shown + ": " + std::strerror(errno), "", "check its permissions", Exit::usage);
  std::string text(kLargestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw Error("cannot read " + shown, "", "", Exit::usage);
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kLargestFile)
    throw Error(shown + " is larger than 512 KiB", "", "an experiment is a short TOML file; is this one?", Exit::usage);
  return text;
}

Table read_with_includes(std::string text, const std::string& name, Log& log) {
  return Includer(log).read(std::move(text), name);
}

}  // namespace perrin::config
