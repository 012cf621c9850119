// Inside host/runs only: git's index file (gitformat-index) and the objects' names that follow from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perrin::runs {

struct IndexEntry {
  std::string name;                                                      // below the work tree
  std::string sha1;                                                      // 20 bytes
  uint32_t mode = 0, size = 0, seconds = 0, nanoseconds = 0, inode = 0;  // as git saw the file
  bool unmerged = false, intended = false, unwatched = false;            // unwatched: git does not look at the file
};

// None for a damaged index, SHA-256 objects, and split or sparse ones.
std::optional<std::vector<IndexEntry>> parse_index(std::string_view bytes);

// The tree object's name in hexadecimal digits; entries as the index sorts them. Empty where some are unmerged.
std::string tree_of(const std::vector<IndexEntry>& entries);

}  // namespace perrin::runs
