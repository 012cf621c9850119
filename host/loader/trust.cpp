#include "host/loader/trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "host/base/error.hpp"

namespace perrin::loader {
namespace {

namespace fs = std::filesystem;

// Who could change this program could change what it runs.
uid_t owner_of_program() {
  struct stat info;
  return ::stat("/proc/self/exe", &info) == 0 ? info.st_uid : 0;
}

bool is_trusted(uid_t owner) {
  static const uid_t program = owner_of_program();
  return owner == 0 || owner == ::geteuid() || owner == program;
}

// In a folder with the sticky bit, as /tmp has it, nobody replaces another user's files.
void check(const fs::path& path, const struct stat& info, const fs::path& file) {
  const bool folder = S_ISDIR(info.st_mode);
  if ((info.st_mode & S_IWOTH) != 0 && !(folder && (info.st_mode & S_ISVTX) != 0))
    throw Error(folder ? "every user may replace files in " + path.string() + ", so it is not loaded"
                       : "every user may write to this file, so it is not loaded",
                file.string(), "chmod o-w " + path.string());
  if (!is_trusted(info.st_uid))
    throw Error((folder ? "the folder " + path.string() + " belongs" : std::string("this file belongs")) +
                    " to another user (number " + std::to_string(info.st_uid) + "), so it is not loaded",
                file.string(), "copy the library to a folder of your own, if you trust it");
}

}  // namespace

void require_trusted(const fs::path& file) {
  std::error_code none;
  fs::path path = fs::canonical(file, none);
  struct stat info;
  for (; !path.empty(); path = path.parent_path()) {
    if (::stat(path.c_str(), &info) == 0) check(path, info, file);
    if (path == path.root_path()) return;
  }
}

}  // namespace perrin::loader
