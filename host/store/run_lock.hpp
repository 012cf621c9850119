// One writer per run file, across processes. Released by the system when the process ends.
#pragma once

#include <filesystem>
#include <utility>

namespace perrin::store {

class RunLock {
 public:
  RunLock() = default;
  // Error if another writer holds it for so long. Best effort: a file system without locks, or NFS (where it would keep
  // readers out, too), gives an empty lock.
  explicit RunLock(const std::filesystem::path& file, int seconds = 1);
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~RunLock();

 private:
  int descriptor_ = -1;
};

}  // namespace perrin::store
