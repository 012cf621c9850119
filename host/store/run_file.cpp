#include "host/store/run_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host/store/structure.hpp"

namespace perrin::store {
namespace {

using hdf5::check;
using hdf5::Handle;

// Values [n] to rows [at, at + n) of a series, which grows to hold them.
void append_rows(hid_t dataset, hid_t memory_type, const void* values, hsize_t at, hsize_t n) {
  const hsize_t rows = at + n;
  check(H5Dset_extent(dataset, &rows), "growing a series");
  const Handle space(check(H5Dget_space(dataset), "data space"), H5Sclose), memory = hdf5::simple_space(1, &n);
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, nullptr, &n, nullptr), "selecting rows");
  check(H5Dwrite(dataset, memory_type, memory, space, H5P_DEFAULT, values), "writing rows");
}

Handle create_empty(const std::filesystem::path& path) {
  const Handle access = hdf5::file_access();
  const Handle list(check(H5Pcreate(H5P_FILE_CREATE), "file list"), H5Pclose);
  check(H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "link order");
  check(H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "attribute order");
  return {check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, list, access), "creating the file"), H5Fclose};
}

}  // namespace

RunFile RunFile::create(const std::filesystem::path& path, const Layout& layout, std::span<const Segment> segments,
                        std::string_view start_time) {
  RunFile run;
  run.file_ = create_empty(path);
  try {
    create_structure(run.file_, layout, segments, start_time);
    for (const Group& group : layout.groups) {
      const Handle folder = hdf5::open_group(run.file_, "metrics/" + group.name);
      Series& series = run.series_.emplace_back();
      for (const Column& column : group.columns) series.columns.push_back(hdf5::open_dataset(folder, column.name));
      series.columns.push_back(hdf5::open_dataset(folder, "wall_time"));
      series.columns.push_back(hdf5::open_dataset(folder, "step"));
    }
    for (const ImageTag& tag : layout.images) {
      const Handle folder = hdf5::open_group(run.file_, "images/" + tag.tag);
      const hsize_t h = tag.height, w = tag.width, c = tag.channels;
      run.images_.push_back({hdf5::open_dataset(folder, "data"), hdf5::open_dataset(folder, "step"), {0, h, w, c}});
    }
    check(H5Fstart_swmr_write(run.file_), "allowing readers while writing");
  } catch (...) {
    run.abandon();
    throw;
  }
  return run;
}

void RunFile::append(size_t group, const Rows& rows) {
  Series& series = series_[group];
  const hsize_t n = rows.step.size();
  if (n == 0) return;
  for (size_t i = 0; i < rows.values.size(); ++i)
    append_rows(series.columns[i], H5T_NATIVE_DOUBLE, rows.values[i].data(), series.rows, n);
  append_rows(series.columns[rows.values.size()], H5T_NATIVE_DOUBLE, rows.wall_time.data(), series.rows, n);
  append_rows(series.columns.back(), H5T_NATIVE_INT64, rows.step.data(), series.rows, n);
  series.rows += n;
}

void RunFile::append_image(size_t tag, int64_t step, const uint8_t* pixels) {
  Images& images = images_[tag];
  const hsize_t at[4] = {images.dims[0], 0, 0, 0}, one[4] = {1, images.dims[1], images.dims[2], images.dims[3]};
  ++images.dims[0];
  check(H5Dset_extent(images.data, images.dims), "growing the images");
  const Handle space(check(H5Dget_space(images.data), "data space"), H5Sclose), memory = hdf5::simple_space(4, one);
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, at, nullptr, one, nullptr), "selecting an image");
  check(H5Dwrite(images.data, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, pixels), "writing an image");
  append_rows(images.step, H5T_NATIVE_INT64, &step, at[0], 1);
}

void RunFile::set_status(std::string_view status) {
  std::string text(status);
  text.resize(kLongestStatus + 1, '\0');
  const Handle attribute(check(H5Aopen(file_, "status", H5P_DEFAULT), "opening the status"), H5Aclose);
  check(H5Awrite(attribute, hdf5::text_type(kLongestStatus), text.data()), "writing the status");
}

void RunFile::flush() { check(H5Fflush(file_, H5F_SCOPE_LOCAL), "flushing"); }

void RunFile::sync() {
  flush();
  int* descriptor = nullptr;
  check(H5Fget_vfd_handle(file_, H5P_DEFAULT, reinterpret_cast<void**>(&descriptor)), "file descriptor");
  if (::fsync(*descriptor) != 0) throw hdf5::Failure{"syncing", std::strerror(errno), errno};
}

void RunFile::close() {
  flush();
  series_.clear();
  images_.clear();
  check(H5Fclose(file_.release()), "closing");
}

void RunFile::abandon() noexcept {
  for (Series& series : series_)
    for (Handle& column : series.columns) column.release();
  for (Images& images : images_) images.data.release(), images.step.release();
  file_.release();
}

}  // namespace perrin::store
