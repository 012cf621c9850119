#include "host/store/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/base/standard_files.hpp"

namespace perrin::store {
namespace {

const char* fix_of(bool reading, int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free space on that disk or raise the quota; what was written before is safe, `perrin resume RUN` goes on";
    case EROFS:
    case EACCES:
    case EPERM:
      return reading ? "make it readable for you" : "choose a folder that you can write, for example with --out DIR";
    case ENOENT:
    case ENOTDIR:
      return reading ? "correct the path" : "create the folder first, or correct the path";
    default:
      return "";
  }
}

// 0, or errno. write(2) may take less than asked, and at most 2 GiB at once.
int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return 0;
}

}  // namespace

Error file_error(const std::string& doing, const std::filesystem::path& path, int error_number) {
  return Error("cannot " + doing + " " + path.string() + ": " + std::strerror(error_number), path.string(),
               fix_of(doing.starts_with("read"), error_number));
}

void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path) {
  const int descriptor = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  int failed = descriptor < 0 || ::fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
  if (failed != 0) {
    ::unlink(temporary.c_str());
    throw file_error("write", path, failed);
  }
  sync_folder(path);
}

void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
  reserve_standard_files();  // a plugin may have closed one since the program began
  const std::filesystem::path temporary = path.string() + ".tmp";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw file_error("write", path, errno);
  int failed = 0;
  for (const auto part : parts)
    if (failed == 0) failed = write_all(descriptor, part);
  if (::close(descriptor) != 0 && failed == 0) failed = errno;
  if (failed == 0) return put_in_place(temporary, path);
  ::unlink(temporary.c_str());
  throw file_error("write", path, failed);
}

void sync_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace perrin::store
