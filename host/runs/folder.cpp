#include "host/runs/folder.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "host/base/error.hpp"
#include "host/store/atomic_file.hpp"

namespace perrin::runs {
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

[[noreturn]] void fail(const fs::path& folder, int error_number) {
  throw Error("cannot create the folder: " + std::string(std::strerror(error_number)), folder.string(),
              "choose another place with --out");
}

void write(const fs::path& file, const std::string& text) {
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  store::write_atomically(file, parts);
}

// A folder of this process alone beside the run's place, where it is filled.
fs::path begin_beside(const fs::path& place) {
  std::error_code failure;
  fs::create_directories(place.parent_path(), failure);
  if (failure) fail(place, failure.value());
  for (int n = 0;; ++n) {
    const std::string name = ".perrin-new-" + std::to_string(::getpid()) + "-" + std::to_string(n);
    if (::mkdir((place.parent_path() / name).c_str(), 0777) == 0) return place.parent_path() / name;
    if (errno != EEXIST) fail(place, errno);
  }
}

void fill(const Folder& folder, const config::Loaded& loaded) {
  for (const fs::path& part : {folder.checkpoints(), folder.samples()})
    if (::mkdir(part.c_str(), 0777) != 0) fail(part, errno);
  write(folder.origin(), fs::absolute(loaded.file).parent_path().string() + "\n");
  write(folder.experiment(), loaded.resolved_toml);
}

// Gives a filled folder its name. False if the name is taken.
bool publish(const fs::path& filled, const fs::path& place) {
  int failed = ::renameat2(AT_FDCWD, filled.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  std::error_code none;
  if (failed == EINVAL || failed == ENOSYS)  // a file system without it; rename(2) replaces an empty folder at most
    failed = fs::exists(fs::symlink_status(place, none))    ? EEXIST
             : ::rename(filled.c_str(), place.c_str()) == 0 ? 0
                                                            : errno;
  if (failed == EEXIST || failed == ENOTEMPTY || failed == ENOTDIR) return false;
  if (failed != 0) fail(place, failed);
  return true;
}

// What an earlier version left where it was killed before it had written the experiment.
bool never_began(const fs::path& folder) {
  std::error_code none;
  if (!fs::exists(folder / "checkpoints", none)) return false;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory(none) && !name.starts_with("origin.txt") && name != "experiment.toml.tmp") return false;
    if (entry.is_directory(none) && name != "checkpoints" && name != "samples") return false;
  }
  return !none;
}

[[noreturn]] void taken(const fs::path& place) {
  if (never_began(place))
    throw Error("the folder holds a run that never began: it was ended before its experiment was written",
                place.string(), "remove it, or choose another with --out");
  throw Error("the run folder exists already", place.string(),
              "continue it with `perrin resume " + place.string() + "`, or choose another with --out");
}

}  // namespace

Folder create_folder(const config::Loaded& loaded, const std::optional<fs::path>& out) {
  if (out && out->empty()) throw Error("--out names no folder", "perrin run", "give it a folder's name", Exit::usage);
  const fs::path base = fs::absolute(
      out ? *out : fs::path("results") / loaded.experiment.name / (utc_stamp() + "-" + loaded.hash.substr(0, 8)));
  Folder folder{base.lexically_normal()};
  if (!folder.path.has_filename()) folder.path = folder.path.parent_path();
  std::error_code none;
  if (out && fs::exists(fs::symlink_status(folder.path, none))) taken(folder.path);
  const fs::path filled = begin_beside(folder.path);
  try {
    fill({filled}, loaded);
    const std::string stem = folder.path.string();
    for (int n = 2; !publish(filled, folder.path); ++n) {
      if (out) taken(folder.path);
      folder.path = stem + "-" + std::to_string(n);
    }
  } catch (...) {
    fs::remove_all(filled, none);
    throw;
  }
  store::sync_folder(folder.path);
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
  if (never_began(trimmed))
    throw Error("this run never began: it was ended before its experiment was written", trimmed.string(),
                "start it anew with `perrin run`; the folder can be removed");
  if (!fs::exists(Folder{trimmed}.experiment(), ignored)) {
    throw Error("this is not a run folder: it has no experiment.toml", trimmed.string(),
                "name a folder that `perrin run` printed");
  }
  return Folder{trimmed};
}

}  // namespace perrin::runs
