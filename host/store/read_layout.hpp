// Inside host/store only: the parts of a run file that never change, read back.
#pragma once

#include "host/store/hdf5.hpp"
#include "host/store/layout.hpp"

namespace perrin::store {

// Throw hdf5::Failure for what is missing or of another type.
Layout read_layout(hid_t file);
std::vector<Segment> read_segments(hid_t file);

}  // namespace perrin::store
