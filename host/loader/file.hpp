// Files as the loader sees them: read-only bytes, identity, hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace perrin::loader {

// A file's bytes, mapped for the object's life. Throws perrin::Error if it cannot be read or is not a regular file.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// What changes when a file's content may have changed.
struct FileIdentity {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_ns = 0, changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity identity_of(const std::filesystem::path& file);  // throws perrin::Error
// False for a file that changed within the clock's granularity: it could change again and look the same.
bool settled(const FileIdentity& identity);

std::string sha256_of(const std::filesystem::path& file);  // 64 hexadecimal digits; throws perrin::Error

}  // namespace perrin::loader
