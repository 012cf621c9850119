#include "host/store/run_lock.hpp"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "host/base/error.hpp"

namespace perrin::store {

// A lock of the open file description: HDF5's own flock(2) on the same file is another kind and is not disturbed.
RunLock::RunLock(const std::filesystem::path& file) {
  constexpr long kNfs = 0x6969;
  struct statfs system {};
  if (::statfs(file.c_str(), &system) == 0 && system.f_type == kNfs) return;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) return;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  int failed = 0;
  for (int more = 10; more >= 0; --more) {  // a process that was killed lets go a moment after `perrin` did
    if (::fcntl(descriptor_, F_OFD_SETLK, &whole) == 0) return;
    failed = errno;
    if ((failed != EAGAIN && failed != EACCES) || more == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ::close(std::exchange(descriptor_, -1));
  if (failed == EAGAIN || failed == EACCES)
    throw Error("the run is still being written by another process", file.string(), "wait for it, or stop it first");
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace perrin::store
