// What lies below a folder.
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "tally.hpp"

namespace perrin::datasets {

struct Walked {
  std::vector<std::filesystem::path> images;                          // below the folder, sorted
  std::multimap<std::filesystem::path, std::filesystem::path> texts;  // path without .txt -> path
};

// The regular files below a folder, hidden ones passed over. Links are followed; one that leads to a folder above it
// (the same device and inode) is passed over, so that no file is met twice on one way down. What is passed over goes
// into `tally`. Throws Failure with the path: a folder that cannot be read, or more than eight links on one way down.
Walked walk(const std::filesystem::path& folder, Tally& tally);

}  // namespace perrin::datasets
