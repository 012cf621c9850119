#include "host/loader/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "host/base/digest.hpp"
#include "host/base/error.hpp"

namespace perrin::loader {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw Error(std::string("cannot be read: ") + std::strerror(error), file.string(),
              "check the path and its permissions");
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) {
  // O_NONBLOCK: a named pipe must not hold the loader up.
  Descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info;
  if (in.fd < 0 || ::fstat(in.fd, &info) != 0) fail(file, errno);
  if (!S_ISREG(info.st_mode)) throw Error("not a regular file", file.string(), "name a shared library");
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, in.fd, 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    fail(file, errno);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

FileIdentity identity_of(const std::filesystem::path& file) {
  struct stat info;
  if (::stat(file.c_str(), &info) != 0) fail(file, errno);
  auto ns = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size), ns(info.st_mtim), ns(info.st_ctim)};
}

bool settled(const FileIdentity& identity) {
  using namespace std::chrono;
  const int64_t now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  return now - std::max(identity.modified_ns, identity.changed_ns) > 2'000'000'000;
}

std::string sha256_of(const std::filesystem::path& file) { return sha256_hex(MappedFile(file).text()); }

}  // namespace perrin::loader
