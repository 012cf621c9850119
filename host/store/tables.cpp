#include "host/store/tables.hpp"

#include <hdf5_hl.h>

#include <algorithm>
#include <numeric>

namespace perrin::store::hdf5 {
namespace {

// A series of n numbers, written whole.
Handle write_series(hid_t group, const std::string& name, hid_t file_type, hid_t type, const void* values, hsize_t n) {
  Handle dataset = create_dataset(group, name, file_type, simple_space(1, &n));
  if (n > 0) check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "writing numbers");
  return dataset;
}

template <class T>
std::vector<T> read_series(hid_t group, const std::string& name, hid_t type) {
  const Handle dataset = open_dataset(group, name);
  std::vector<T> values(length(dataset));
  if (!values.empty()) check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading numbers");
  return values;
}

}  // namespace

Handle create_dataset(hid_t parent, const std::string& name, hid_t type, hid_t space, hid_t properties) {
  return {
      check(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), "creating a dataset"),
      H5Dclose};
}

void make_scale(hid_t dataset, const std::string& name) {
  check(H5DSset_scale(dataset, name.c_str()), "making a dimension scale");
}

void attach_scale(hid_t dataset, hid_t scale, unsigned dimension) {
  check(H5DSattach_scale(dataset, scale, dimension), "attaching a dimension scale");
}

Handle write_index(hid_t group, const std::string& name, hsize_t n) {
  std::vector<int64_t> index(n);
  std::iota(index.begin(), index.end(), 0);
  Handle dataset = write_series(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, index.data(), n);
  make_scale(dataset, name);
  return dataset;
}

Handle write_axis(hid_t group, const std::string& name, std::span<const double> values) {
  Handle dataset = write_series(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size());
  make_scale(dataset, name);
  return dataset;
}

void write_texts(hid_t group, const std::string& name, hid_t scale, const std::vector<std::string>& texts) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  const size_t bytes = longest + 1;
  std::vector<char> block(texts.size() * bytes, '\0');
  for (size_t i = 0; i < texts.size(); ++i) std::copy(texts[i].begin(), texts[i].end(), block.begin() + i * bytes);
  const Handle type = text_type(longest);
  attach_scale(write_series(group, name, type, type, block.data(), texts.size()), scale, 0);
}

Handle write_numbers(hid_t group, const std::string& name, hid_t scale, std::span<const double> values) {
  Handle dataset = write_series(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size());
  attach_scale(dataset, scale, 0);
  return dataset;
}

Handle write_numbers(hid_t group, const std::string& name, hid_t scale, std::span<const int64_t> values) {
  Handle dataset = write_series(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), values.size());
  attach_scale(dataset, scale, 0);
  return dataset;
}

hsize_t length(hid_t dataset) {
  const Handle space(check(H5Dget_space(dataset), "data space"), H5Sclose);
  const hssize_t n = H5Sget_simple_extent_npoints(space);
  if (n < 0 || n > (1 << 24)) throw Failure{"reading a table", "its size is not plausible", 0};
  return static_cast<hsize_t>(n);
}

std::vector<std::string> read_texts(hid_t group, const std::string& name) {
  const Handle dataset = open_dataset(group, name);
  const Handle type(check(H5Dget_type(dataset), "dataset type"), H5Tclose);
  const size_t bytes = H5Tget_size(type);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || bytes > (1 << 20))
    throw Failure{"reading texts", "they are not of fixed length", 0};
  std::vector<std::string> texts(length(dataset));
  if (texts.size() * bytes > kLongestText) throw Failure{"reading texts", "their size is not plausible", 0};
  std::vector<char> block(texts.size() * bytes);
  if (!texts.empty()) check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data()), "reading texts");
  for (size_t i = 0; i < texts.size(); ++i) {
    texts[i].assign(block.data() + i * bytes, bytes);
    while (!texts[i].empty() && texts[i].back() == '\0') texts[i].pop_back();
  }
  return texts;
}

std::vector<double> read_numbers(hid_t group, const std::string& name) {
  return read_series<double>(group, name, H5T_NATIVE_DOUBLE);
}

std::vector<int64_t> read_integers(hid_t group, const std::string& name) {
  return read_series<int64_t>(group, name, H5T_NATIVE_INT64);
}

}  // namespace perrin::store::hdf5
