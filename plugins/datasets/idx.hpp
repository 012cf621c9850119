// IDX files, plain or gzip-compressed: the format of MNIST and its successors. All numbers big-endian:
//   magic 0 0 8 rank | rank sizes, uint32 | the values, one byte each
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perrin::datasets {

struct Idx {
  std::vector<uint64_t> sizes;  // as many as the rank
  std::vector<uint8_t> values;  // as many as their product
};

// Reads a whole file. Throws Failure: PERRIN_IO if it cannot be opened or read,
// PERRIN_INVALID_DATA, with file and reason, if it is not an IDX file of bytes of this rank, is truncated, corrupt,
// longer than its header says, or announces more than 2^30 values.
Idx read_idx(const std::string& path, uint32_t rank);
// Its header alone.
std::vector<uint64_t> read_idx_sizes(const std::string& path, uint32_t rank);

}  // namespace perrin::datasets
