#include "idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "perrin/cpp/file.hpp"

namespace perrin::datasets {
namespace {

// A million images of 28 x 28 and more; what is compressed could announce, and give, a thousand times its own size.
constexpr uint64_t max_values = uint64_t{1} << 30;
constexpr uint64_t most_per_byte = 1032;  // what deflate makes of a byte at best (zlib's technical details)

// A file that zlib reads, whether it is compressed or not.
class GzFile {
 public:
  explicit GzFile(const std::string& path) : path_(path) {
    const RegularFile regular(path);  // a FIFO or a device would not end
    most_ = most_per_byte * regular.size();
    file_ = gzopen(path.c_str(), "rb");
    if (!file_) throw Failure(PERRIN_IO, path + ": " + std::strerror(errno));
    gzbuffer(file_, 1 << 18);
  }
  GzFile(const GzFile&) = delete;
  ~GzFile() { gzclose_r(file_); }

  [[noreturn]] void fail(const std::string& reason) const { throw Failure(PERRIN_INVALID_DATA, path_ + ": " + reason); }

  // No more bytes than these can come.
  uint64_t most() const { return most_; }

  // Up to n bytes; fewer only at the end of the file.
  size_t read(uint8_t* to, size_t n) {
    const int got = gzread(file_, to, static_cast<unsigned>(n));
    int code = Z_OK;
    const char* text = gzerror(file_, &code);
    if (code == Z_ERRNO) throw Failure(PERRIN_IO, path_ + ": " + std::strerror(errno));
    if (code == Z_BUF_ERROR) fail("the gzip data ends too early: the file is truncated; copy or download it again");
    if (got < 0) fail(std::string("the gzip data is corrupt (") + text + "); copy or download it again");
    return static_cast<size_t>(got);
  }

 private:
  std::string path_;
  gzFile file_ = nullptr;
  uint64_t most_ = 0;
};

std::vector<uint64_t> read_header(GzFile& file, uint32_t rank) {
  std::array<uint8_t, 4 + 4 * 4> bytes{};
  const size_t got = file.read(bytes.data(), 4 + 4 * rank);
  if (got < 4) file.fail("only " + std::to_string(got) + " bytes: not an IDX file");
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != rank) {
    char text[96];
    std::snprintf(text, sizeof text, "starts with %02x %02x %02x %02x instead of 00 00 08 %02x: not an IDX file of ",
                  bytes[0], bytes[1], bytes[2], bytes[3], rank);
    file.fail(text + std::string(rank == 1 ? "labels" : "images"));
  }
  if (got < 4 + 4 * rank) file.fail("ends within its header: the file is truncated; copy or download it again");
  std::vector<uint64_t> sizes;
  for (uint32_t i = 0; i < rank; ++i) {
    const uint8_t* b = &bytes[4 + 4 * i];
    sizes.push_back(uint64_t{b[0]} << 24 | uint64_t{b[1]} << 16 | uint64_t{b[2]} << 8 | b[3]);
  }
  return sizes;
}

// Memory is reserved for what the file can hold, so that a header that lies costs nothing.
std::vector<uint8_t> read_values(GzFile& file, uint64_t expected) {
  constexpr uint64_t chunk = 1 << 20;
  std::vector<uint8_t> values;
  values.reserve(std::min(expected, file.most()));
  while (values.size() < expected) {
    const size_t before = values.size(), want = std::min(chunk, expected - before);
    values.resize(before + want);
    const size_t got = file.read(&values[before], want);
    if (got < want)
      file.fail("holds " + std::to_string(before + got) + " values where its header says " + std::to_string(expected) +
                ": the file is truncated; copy or download it again");
  }
  uint8_t extra = 0;
  if (file.read(&extra, 1) != 0) file.fail("goes on after the " + std::to_string(expected) + " values of its header");
  return values;
}

}  // namespace

std::vector<uint64_t> read_idx_sizes(const std::string& path, uint32_t rank) {
  GzFile file(path);
  return read_header(file, rank);
}

Idx read_idx(const std::string& path, uint32_t rank) {
  GzFile file(path);
  Idx idx{read_header(file, rank), {}};
  uint64_t n = 1;  // a size has 32 bits
  for (uint64_t size : idx.sizes) n = std::min(n, max_values + 1) * size;
  if (n > max_values) file.fail("its header announces more than 2^30 values: the file is corrupt");
  idx.values = read_values(file, n);
  return idx;
}

}  // namespace perrin::datasets
