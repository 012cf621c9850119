// Inside host/store only: creates everything a run file will ever hold, so that later only rows are appended.
#pragma once

#include <span>

#include "host/store/hdf5.hpp"
#include "host/store/layout.hpp"

namespace perrin::store {

inline constexpr size_t kLongestStatus = 15;
inline constexpr int64_t kNoStep = INT64_MIN;  // fill value of `step`: a row that was reserved and never written

// perrin::Error (Exit::failed) if the layout breaks a rule of layout.hpp.
void check_layout(const Layout& layout);

// In an empty, open file. status is "running". Throws hdf5::Failure.
void create_structure(hid_t file, const Layout& layout, std::span<const Segment> segments, std::string_view start_time);

}  // namespace perrin::store
