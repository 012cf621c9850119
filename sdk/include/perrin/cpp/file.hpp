// Files that somebody else made: only regular ones, opened without waiting, up to a limit. All throw Failure that
// begins with the path: PERRIN_IO if the file cannot be read, PERRIN_INVALID_DATA if it is something else or too large.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "plugin.hpp"

namespace perrin {

class RegularFile {
 public:
  // A FIFO would make open() wait for a writer, a device has no end.
  explicit RegularFile(const std::string& path)
      : path_(path), handle_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat seen {};
    const bool failed = handle_ < 0 || ::fstat(handle_, &seen) != 0;
    const int error = errno;
    if (!failed && S_ISREG(seen.st_mode)) {
      size_ = static_cast<uint64_t>(seen.st_size);
      return;
    }
    if (handle_ >= 0) ::close(handle_);
    if (failed) throw Failure(PERRIN_IO, path + ": " + std::strerror(error));
    throw Failure(PERRIN_INVALID_DATA, path + (S_ISDIR(seen.st_mode) ? ": is a folder" : ": is no regular file"));
  }
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;
  ~RegularFile() { ::close(handle_); }

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }  // bytes, when it was opened

  // Up to n bytes from `offset` on; fewer only at the end of the file. [any]
  size_t read(uint64_t offset, size_t n, char* to) const {
    size_t done = 0;
    while (done < n) {
      const ssize_t got = ::pread(handle_, to + done, n - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Failure(PERRIN_IO, path_ + ": " + std::strerror(errno));
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

 private:
  std::string path_;
  int handle_;
  uint64_t size_ = 0;
};

// The whole file, of at most `limit` bytes.
inline std::string read_file(const std::string& path, uint64_t limit) {
  const RegularFile file(path);
  if (file.size() > limit)
    throw Failure(PERRIN_INVALID_DATA, path + ": " + std::to_string(file.size()) + " bytes, more than the " +
                                           std::to_string(limit) + " that such a file may have");
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  bytes.resize(file.read(0, bytes.size(), bytes.data()));
  return bytes;
}

}  // namespace perrin
