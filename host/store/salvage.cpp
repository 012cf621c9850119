#include "host/store/salvage.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/store/evaluations.hpp"
#include "host/store/read_layout.hpp"
#include "host/store/structure.hpp"

namespace perrin::store {
namespace {

using hdf5::check;
using hdf5::Handle;
using hdf5::rows_of;

// Runs `read`; what cannot be read stays as it was.
template <class Read>
void attempt(Read&& read) {
  try {
    read();
  } catch (const hdf5::Failure&) {
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
}

// Row `at` as values[0], if it lies in the file: HDF5 answers fill values for what was cut off.
template <class T>
bool read_row(hid_t dataset, hid_t type, hsize_t at, hsize_t file_size, T* value) {
  const Handle space = hdf5::space_of(dataset, 1);
  haddr_t address = HADDR_UNDEF;
  hsize_t size = 0, coordinates[1] = {at}, one = 1;
  unsigned filters = 0;
  if (H5Dget_chunk_info_by_coord(dataset, coordinates, &filters, &address, &size) < 0) return false;
  if (address == HADDR_UNDEF || address + size > file_size) return false;
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, nullptr, &one, nullptr), "selecting a row");
  return H5Dread(dataset, type, hdf5::simple_space(1, &one), space, H5P_DEFAULT, value) >= 0;
}

struct Source {
  hid_t file;
  hsize_t size;  // of the file, bytes
};

// Row by row: damage is rare, and a run's rows are few.
void read_group(const Source& from, const Group& group, int64_t last, Rows& rows) {
  const Handle folder = hdf5::open_group(from.file, "metrics/" + group.name);
  const Handle steps = hdf5::open_dataset(folder, "step"), times = hdf5::open_dataset(folder, "wall_time");
  std::vector<Handle> columns;
  for (const Column& column : group.columns) {
    const bool there = H5Lexists(folder, column.name.c_str(), H5P_DEFAULT) > 0;
    columns.push_back(there ? hdf5::open_dataset(folder, column.name) : Handle());
  }
  const hsize_t n = std::min(rows_of(steps), from.size);
  for (hsize_t i = 0; i < n; ++i) {
    int64_t step = 0;
    double time = 0;
    if (!read_row(steps, H5T_NATIVE_INT64, i, from.size, &step) || step == kNoStep || step > last) return;
    if (step < 0 || (!rows.step.empty() && step <= rows.step.back())) return;
    if (!read_row(times, H5T_NATIVE_DOUBLE, i, from.size, &time) || !(time > 0)) return;
    std::vector<double> values(columns.size(), std::numeric_limits<double>::quiet_NaN());
    for (size_t c = 0; c < columns.size(); ++c)
      if (columns[c] >= 0 && !read_row(columns[c], H5T_NATIVE_DOUBLE, i, from.size, &values[c])) return;
    rows.step.push_back(step);
    rows.wall_time.push_back(time);
    for (size_t c = 0; c < columns.size(); ++c) rows.values[c].push_back(values[c]);
  }
}

void read_images(const Source& from, const ImageTag& tag, int64_t last,
                 std::vector<std::pair<int64_t, std::vector<uint8_t>>>& images) {
  const Handle folder = hdf5::open_group(from.file, "images/" + tag.tag);
  const Handle steps = hdf5::open_dataset(folder, "step"), data = hdf5::open_dataset(folder, "data");
  const Handle space = hdf5::space_of(data, 4);
  hsize_t dims[4] = {}, at[4] = {};
  check(H5Sget_simple_extent_dims(space, dims, nullptr), "image size");
  if (dims[1] != hsize_t(tag.height) || dims[2] != hsize_t(tag.width) ||
      dims[3] != hsize_t(tag.channels))
    return;
  const hsize_t n = std::min(rows_of(steps), dims[0]);
  dims[0] = 1;
  for (; at[0] < n; ++at[0]) {
    int64_t step = 0;
    std::vector<uint8_t> pixels(dims[1] * dims[2] * dims[3]);
    if (!read_row(steps, H5T_NATIVE_INT64, at[0], from.size, &step) || step == kNoStep || step > last) return;
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, at, nullptr, dims, nullptr), "selecting an image");
    check(H5Dread(data, H5T_NATIVE_UINT8, hdf5::simple_space(4, dims), space, H5P_DEFAULT, pixels.data()), "an image");
    images.emplace_back(step, std::move(pixels));
  }
}

}  // namespace

Salvaged salvage(const std::filesystem::path& file, const Layout& layout, int64_t last) {
  const auto held = hdf5::lock();
  Salvaged all;
  for (const Group& group : layout.groups) all.rows.emplace_back().values.resize(group.columns.size());
  all.images.resize(layout.images.size());
  attempt([&] {
    const Handle access = hdf5::file_access();
    const Handle open(check(H5Fopen(file.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access), "opening"), H5Fclose);
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return;
    const Source from{open, static_cast<hsize_t>(info.st_size)};
    attempt([&] { all.start_time = hdf5::read_attribute(open, "start_time"); });
    attempt([&] { all.segments = read_segments(open); });
    attempt([&] { all.evaluations = read_evaluations(open); });
    for (size_t g = 0; g < layout.groups.size(); ++g)
      attempt([&] { read_group(from, layout.groups[g], last, all.rows[g]); });
    for (size_t t = 0; t < layout.images.size(); ++t)
      attempt([&] { read_images(from, layout.images[t], last, all.images[t]); });
  });
  return all;
}

}  // namespace perrin::store
