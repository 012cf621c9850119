// SHA-256 of many files, remembered: data are hashed once, not at every start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace perrin::loader {

struct FileSum {
  uint64_t size = 0;
  std::string sha256;
};

// The sums of `files`, in their order. Those whose path, size, times and inode are as when they were last hashed are
// not read, unless they changed under two seconds before that; the others are read on all cores. What is known is kept
// in the cache folder "sums" in a table named by `set`, which this call's files replace; without one all are read.
// `progress` is told, in this thread, the bytes read and to be read, and may throw to stop. Throws perrin::Error for
// what is no readable regular file.
std::vector<FileSum> file_sums(const std::string& set, const std::vector<std::filesystem::path>& files,
                               const std::function<void(uint64_t done, uint64_t total)>& progress);

}  // namespace perrin::loader
