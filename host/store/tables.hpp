// Inside host/store only: tables of a length known when they are written. Each column lies along an index or an axis,
// which is its dimension scale.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/store/hdf5.hpp"

namespace perrin::store::hdf5 {

Handle create_dataset(hid_t parent, const std::string& name, hid_t type, hid_t space, hid_t properties = H5P_DEFAULT);
void make_scale(hid_t dataset, const std::string& name);
void attach_scale(hid_t dataset, hid_t scale, unsigned dimension);

// 0, 1, ..., n - 1: the coordinate of a dimension that has no other.
Handle write_index(hid_t group, const std::string& name, hsize_t n);
// Coordinates with a meaning of their own.
Handle write_axis(hid_t group, const std::string& name, std::span<const double> values);

// Columns along `scale`; its length is theirs.
void write_texts(hid_t group, const std::string& name, hid_t scale, const std::vector<std::string>& texts);
Handle write_numbers(hid_t group, const std::string& name, hid_t scale, std::span<const double> values);
Handle write_numbers(hid_t group, const std::string& name, hid_t scale, std::span<const int64_t> values);

// Elements of a dataset of any rank. Failure above 2^24, so that a forged size is an error and not an allocation.
hsize_t length(hid_t dataset);
std::vector<std::string> read_texts(hid_t group, const std::string& name);
std::vector<double> read_numbers(hid_t group, const std::string& name);
std::vector<int64_t> read_integers(hid_t group, const std::string& name);

}  // namespace perrin::store::hdf5
