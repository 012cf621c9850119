// The members of a tar archive (POSIX ustar and pax, GNU), without reading their contents.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perrin/cpp/file.hpp"
#include "tally.hpp"

namespace perrin::datasets {

struct TarMember {
  std::string name;     // with its folders, tidy
  uint64_t offset = 0;  // of the contents in the archive, bytes
  uint64_t size = 0;    // bytes
  bool sparse = false;  // GNU's way to leave out zeros: the contents are not the file's
};

// The files of an archive, and its links to them with the contents of what they name (as Python's tarfile resolves
// them), in its order; of archives behind each other in one file, those of all. Links to nothing, devices and the like
// go into `tally`. Throws Failure with path and place: PERRIN_IO if it cannot be read, PERRIN_INVALID_DATA if it is
// cut, damaged, or compressed (only plain archives can be read at random).
std::vector<TarMember> list_tar(const RegularFile& file, Tally& tally);

// The contents of a member. Throws Failure if it is sparse or has more than `limit` bytes.
std::string read_member(const RegularFile& file, const TarMember& member, uint64_t limit);

}  // namespace perrin::datasets
