// What the fuzzers share: their input as a text, as a file, and how a broken promise ends a run.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace perrin::fuzz {

// A finding unless it holds.
inline void require(bool held) {
  if (!held) std::abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Before and behind the first NUL; the second is empty without one.
inline std::pair<std::string, std::string> split(std::string_view input) {
  const size_t end = std::min(input.find('\0'), input.size());
  return {std::string(input.substr(0, end)), std::string(input.substr(std::min(end + 1, input.size())))};
}

// A regular file that lies in memory, for readers that take a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : handle_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(handle_, bytes.data(), bytes.size());
      require(n > 0);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(handle_); }

  static constexpr const char* folder = "/proc/self/fd";
  std::string name() const { return std::to_string(handle_); }
  std::string path() const { return std::string(folder) + "/" + name(); }

 private:
  int handle_;
};

}  // namespace perrin::fuzz
