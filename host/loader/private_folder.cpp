#include "host/loader/private_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace perrin::loader {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH, kOthers = S_IRWXG | S_IRWXO;

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::string private_folder_problem(const fs::path& folder, Others others) {
  const mode_t denied = others == Others::may_read ? kOthersWrite : kOthers;
  std::error_code none;
  fs::create_directories(folder.parent_path(), none);
  if (::mkdir(folder.c_str(), 0777 & ~denied) != 0 && errno != EEXIST)
    return folder.string() + " cannot be made: " + std::strerror(errno);
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return folder.string() + " is no folder, or a link: " + std::strerror(errno);
  struct stat info {};
  std::string problem;
  if (::fstat(descriptor, &info) != 0)
    problem = folder.string() + ": " + std::strerror(errno);
  else if (info.st_uid != ::geteuid())
    problem = folder.string() + " is another user's";
  else if ((info.st_mode & denied) != 0 && ::fchmod(descriptor, info.st_mode & 07777 & ~denied) != 0)
    problem = folder.string() + " is open to others: " + std::strerror(errno);
  ::close(descriptor);
  return problem;
}

int open_private(const fs::path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  struct stat info {};
  if (descriptor < 0) return -1;
  if (::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
      (info.st_mode & kOthersWrite) == 0)
    return descriptor;
  ::close(descriptor);
  return -1;
}

std::optional<std::string> read_private(const fs::path& file) {
  const int descriptor = open_private(file, O_RDONLY);
  if (descriptor < 0) return std::nullopt;
  std::string text;
  char buffer[1 << 16];
  ssize_t n = 0;
  while ((n = ::read(descriptor, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
  ::close(descriptor);
  if (n < 0) return std::nullopt;
  return text;
}

bool write_private(const fs::path& file, std::string_view text) {
  static std::atomic<int> number{0};
  const std::string beside = file.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(number++);
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool written = write_all(descriptor, text);
  if (::close(descriptor) == 0 && written && ::rename(beside.c_str(), file.c_str()) == 0) return true;
  ::unlink(beside.c_str());
  return false;
}

bool remove_unheld(const fs::path& file) {
  const int descriptor = open_private(file, O_RDONLY);
  if (descriptor < 0) return ::unlink(file.c_str()) == 0;
  const bool removed = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && ::unlink(file.c_str()) == 0;
  ::close(descriptor);
  return removed;
}

void remove_leftovers(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (entry.path().extension() == kPart) remove_unheld(entry.path());
}

}  // namespace perrin::loader
