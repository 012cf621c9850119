// Small Fashion-MNIST folders for tests.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;

// magic, sizes and values of an IDX file of bytes.
inline Bytes idx(const std::vector<uint32_t>& sizes, const Bytes& values) {
  Bytes bytes = {0, 0, 8, static_cast<uint8_t>(sizes.size())};
  for (uint32_t size : sizes)
    for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(size >> shift));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

inline Bytes gzip(const Bytes& plain) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&z, plain.size()) + 32);
  z.next_in = const_cast<uint8_t*>(plain.data()), z.avail_in = static_cast<unsigned>(plain.size());
  z.next_out = packed.data(), z.avail_out = static_cast<unsigned>(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

inline void write(const fs::path& file, const Bytes& bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
}

// Pixel p of image i: a number that shows both, never 0.
inline uint8_t pixel(uint64_t i, uint64_t p) { return static_cast<uint8_t>(1 + (i * 31 + p * 7) % 255); }
inline Bytes images(uint32_t n) {
  Bytes values;
  for (uint64_t i = 0; i < n; ++i)
    for (uint64_t p = 0; p < 784; ++p) values.push_back(pixel(i, p));
  return idx({n, 28, 28}, values);
}
inline Bytes labels(uint32_t n) {
  Bytes values;
  for (uint32_t i = 0; i < n; ++i) values.push_back(static_cast<uint8_t>(i * 3 % 10));
  return idx({n}, values);
}

// A folder that disappears with this object.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("perrin-idx-" + std::to_string(::getpid()) + "-" + std::to_string(next()++))) {
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string string() const { return path_.string(); }

 private:
  static int& next() {
    static int n = 0;
    return n;
  }
  fs::path path_;
};

inline services::Component fashion(const Folder& folder, Values values = {}) {
  values["folder"] = folder.string();
  return builtin("dataset", "fashion-mnist", std::move(values));
}

}  // namespace perrin::testing
