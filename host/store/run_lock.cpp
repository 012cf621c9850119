#include "host/store/run_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "host/base/error.hpp"

namespace perrin::store {

namespace {

// A writer replaces the file as a whole: who waited for the old one has locked a file that nobody sees any more.
bool is_at(int descriptor, const std::filesystem::path& file) {
  struct stat held {
  }, named{};
  return ::fstat(descriptor, &held) == 0 && ::stat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace

// A lock of the open file description: HDF5's own flock(2) on the same file is another kind and is not disturbed.
RunLock::RunLock(const std::filesystem::path& file, int seconds) {
  constexpr long kNfs = 0x6969;
  struct statfs system {};
  if (::statfs(file.c_str(), &system) == 0 && system.f_type == kNfs) return;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  for (int more = 10 * seconds; more >= 0; --more) {  // a process that was killed lets go a moment after `perrin` did
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor_ < 0) return;
    const int failed = ::fcntl(descriptor_, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
    if (failed == 0 && is_at(descriptor_, file)) return;
    ::close(std::exchange(descriptor_, -1));
    if (failed != 0 && failed != EAGAIN && failed != EACCES) return;
    if (failed != 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw Error("the run is still being written by another process", file.string(), "wait for it, or stop it first");
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace perrin::store
