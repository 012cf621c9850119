// Inside host/store only: one run file open for appending. No queue, no thread: the caller holds hdf5::lock().
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "host/store/hdf5.hpp"
#include "host/store/layout.hpp"

namespace perrin::store {

// Rows of one group, column by column, in the order of Group::columns.
struct Rows {
  std::vector<int64_t> step;
  std::vector<double> wall_time;
  std::vector<std::vector<double>> values;
};

// What a kill at any instant leaves readable rests on three things: SWMR orders the metadata; there is no chunk
// cache, so data reach the system before the call returns; `step` is written last, and a row without it is no row.
// Every function throws hdf5::Failure; after one, the object may only be abandoned.
class RunFile {
 public:
  // Everything of the layout, in a new file at `path` (an old one is replaced), SWMR on.
  static RunFile create(const std::filesystem::path& path, const Layout& layout, std::span<const Segment> segments,
                        std::string_view start_time);

  void append(size_t group, const Rows& rows);
  void append_image(size_t tag, int64_t step, const uint8_t* pixels);  // [height, width, channels]
  void set_status(std::string_view status);
  void flush();  // readers of the open file see everything written so far
  void sync();   // flush, and the data are on the disk
  void close();
  void abandon() noexcept;  // no further write, no clean-up: HDF5 would try to write again what failed

 private:
  struct Series {
    std::vector<hdf5::Handle> columns;  // values, wall_time, step: the order of writing
    hsize_t rows = 0;
  };
  struct Images {
    hdf5::Handle data, step;
    hsize_t dims[4];
  };
  void start_writing(const std::filesystem::path& path);

  hdf5::Handle file_;
  std::vector<Series> series_;
  std::vector<Images> images_;
};

}  // namespace perrin::store
