// The members of a tar archive (POSIX ustar, with GNU and pax long names), without reading their contents.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perrin::datasets {

struct TarMember {
  std::string name;     // with its folders, without a leading "./"
  uint64_t offset = 0;  // of the contents in the archive, bytes
  uint64_t size = 0;    // bytes
};

// The regular files of an archive, in its order. Throws Failure with path and place: PERRIN_IO if it cannot be read,
// PERRIN_INVALID_DATA if it is cut, damaged, or compressed (only plain archives can be read at random).
std::vector<TarMember> list_tar(const std::string& path);

// The contents of a member.
std::string read_member(const std::string& path, const TarMember& member);

}  // namespace perrin::datasets
