#include "host/store/reader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>

#include "host/base/error.hpp"
#include "host/store/atomic_file.hpp"
#include "host/store/hdf5.hpp"
#include "host/store/read_layout.hpp"
#include "host/store/structure.hpp"

namespace perrin::store {
namespace {

using hdf5::check;
using hdf5::Handle;
using hdf5::rows_of;

// Values [0, n) of a series as memory_type.
template <class T>
std::vector<T> read_rows(hid_t dataset, hid_t memory_type, hsize_t n) {
  std::vector<T> values(n);
  const Handle space = hdf5::space_of(dataset, 1), memory = hdf5::simple_space(1, &n);
  const hsize_t first = 0;
  if (n == 0) return values;
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, nullptr, &n, nullptr), "selecting rows");
  check(H5Dread(dataset, memory_type, memory, space, H5P_DEFAULT, values.data()), "reading rows");
  return values;
}

// The bytes of the open file that are there now.
hsize_t bytes_of(hid_t file) {
  int* descriptor = nullptr;
  check(H5Fget_vfd_handle(file, H5P_DEFAULT, reinterpret_cast<void**>(&descriptor)), "file descriptor");
  struct stat status {};
  if (::fstat(*descriptor, &status) != 0) throw hdf5::Failure{"reading the size", std::strerror(errno), errno};
  return static_cast<hsize_t>(status.st_size);
}

// Failure if a row's chunk lies beyond the end of the file: the file was cut, and HDF5 would answer zeros. The size is
// asked for after the chunk's address: the writer writes a new chunk whole before the index that leads to it, so an
// address from a live file is never ahead of the file's size at that moment, but it is ahead of an earlier one.
void check_chunk(hid_t file, hid_t dataset, hsize_t row) {
  hsize_t at[H5S_MAX_RANK] = {row}, size = 0;
  haddr_t address = HADDR_UNDEF;
  unsigned filters = 0;
  check(H5Dget_chunk_info_by_coord(dataset, at, &filters, &address, &size), "finding a chunk");
  if (address != HADDR_UNDEF && address + size > bytes_of(file))
    throw hdf5::Failure{"reading rows", "the file was cut", 0};
}

// Steps of the complete rows: as many as every dataset holds, less the last ones that were reserved and not written.
std::vector<int64_t> complete_steps(hid_t file, hid_t group) {
  hsize_t n = std::numeric_limits<hsize_t>::max();
  std::vector<Handle> series;
  for (const std::string& name : hdf5::links(group)) {
    Handle dataset = hdf5::open_dataset(group, name);
    const Handle list(check(H5Dget_create_plist(dataset), "dataset list"), H5Pclose);
    if (H5Pget_layout(list) != H5D_CHUNKED) continue;  // y, x, channel of images
    n = std::min(n, rows_of(dataset));
    series.push_back(std::move(dataset));
  }
  if (n > bytes_of(file)) throw hdf5::Failure{"reading rows", "their number is not plausible", 0};
  std::vector<int64_t> steps = read_rows<int64_t>(hdf5::open_dataset(group, "step"), H5T_NATIVE_INT64, n);
  while (!steps.empty() && steps.back() == kNoStep) steps.pop_back();
  for (const Handle& dataset : series)
    if (!steps.empty()) check_chunk(file, dataset, steps.size() - 1);
  return steps;
}

herr_t close_file(hid_t file) {
  const auto held = hdf5::lock();
  return H5Fclose(file);
}

Damaged damaged(const std::filesystem::path& file, const std::string& reason) {
  return Damaged("the results file " + file.string() + " is cut or damaged: " + reason, file.string(),
               "restore it from a copy; checkpoints beside it are separate files and may be whole");
}

// The first bytes of a file by POSIX, for messages that HDF5 cannot give. True if the file was closed by its writer.
bool check_signature(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw file_error("read the results file", file, errno);
  if (!S_ISREG(status.st_mode))
    throw Error(file.string() + " is not a file", file.string(), "name a run.h5 or its run folder");
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 48> head{};
  if (!stream) throw file_error("read the results file", file, errno);
  stream.read(head.data(), head.size());
  if (stream.gcount() < 8 || std::memcmp(head.data(), "\211HDF\r\n\032\n", 8) != 0)
    throw Damaged(file.string() + " is not an HDF5 file", file.string(), "name a run.h5 that `perrin run` wrote");
  // Superblock version 3: its "end of file address" holds for a file that was closed. While a writer has it open (the
  // consistency flags say so, also after a kill) a flush writes the address first and lengthens the file to it after.
  // The size is that of the same open file, asked for later: a live file grows, a resumed one is replaced.
  uint64_t end = 0;
  std::memcpy(&end, head.data() + 28, sizeof end);
  stream.clear();
  const auto size = static_cast<uint64_t>(stream.seekg(0, std::ios::end).tellg());
  const bool closed = head[11] == 0;
  if (head[8] == 3 && closed && end > size)
    throw damaged(file, std::to_string(size) + " of at least " + std::to_string(end) + " bytes are there");
  return closed;
}

}  // namespace

class Reader::Impl {
 public:
  explicit Impl(const std::filesystem::path& file);

  // Runs `read` on the group; HDF5's failures become Errors about this file.
  template <class Read>
  auto in_group(const std::string& group, const Read& read) const {
    const auto held = hdf5::lock();
    const auto known = steps_.find(group);
    if (known == steps_.end()) throw Error(path_.string() + " has no /" + group, path_.string());
    try {
      return read(hdf5::open_group(file_, group), known->second);
    } catch (const hdf5::Failure& failure) {
      throw damaged(path_, failure.doing + " of /" + group + ": " + failure.reason);
    }
  }

  Layout layout;
  std::string status, start_time;
  std::vector<Segment> segments;
  bool closed;

 private:
  void check_schema() const;
  void read_all();

  std::filesystem::path path_;
  Handle file_;
  std::map<std::string, std::vector<int64_t>> steps_;  // by group path
};

Reader::Impl::Impl(const std::filesystem::path& file) : closed(check_signature(file)), path_(file) {
  const auto held = hdf5::lock();
  try {
    const Handle access = hdf5::file_access();
    file_ = {check(H5Fopen(file.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access), "opening"), close_file};
    hdf5::check_self_contained(file_);
    check_schema();
    read_all();
  } catch (const hdf5::Failure& failure) {
    throw damaged(file, failure.doing + ": " + failure.reason);
  } catch (const std::bad_alloc&) {
    throw damaged(file, "a size is not plausible");
  } catch (const std::length_error&) {
    throw damaged(file, "a size is not plausible");
  }
}

void Reader::Impl::check_schema() const {
  const std::string found = hdf5::has_attribute(file_, "schema") ? hdf5::read_attribute(file_, "schema") : "none";
  if (found == kSchema) return;
  throw Error(
      path_.string() + " has schema \"" + found + "\", expected \"" + kSchema + "\"", path_.string(),
      found == "none" ? "name a run.h5 that `perrin run` wrote" : "read it with the version of Perrin that wrote it");
}

void Reader::Impl::read_all() {
  layout = read_layout(file_);
  status = hdf5::read_attribute(file_, "status");
  start_time = hdf5::read_attribute(file_, "start_time");
  segments = read_segments(file_);
  const auto keep = [&](const std::string& path) {
    steps_[path] = complete_steps(file_, hdf5::open_group(file_, path));
  };
  for (const Group& group : layout.groups) keep("metrics/" + group.name);
  for (const ImageTag& tag : layout.images) keep("images/" + tag.tag);
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Reader Reader::open(const std::filesystem::path& file) { return Reader(std::make_unique<Impl>(file)); }

const Layout& Reader::layout() const { return impl_->layout; }
const std::string& Reader::status() const { return impl_->status; }
bool Reader::closed() const { return impl_->closed; }
const std::string& Reader::start_time() const { return impl_->start_time; }
const std::vector<Segment>& Reader::segments() const { return impl_->segments; }

int64_t Reader::rows(std::string_view group) const {
  return impl_->in_group("metrics/" + std::string(group),
                         [](hid_t, const std::vector<int64_t>& steps) { return static_cast<int64_t>(steps.size()); });
}

Series Reader::series(std::string_view group, std::string_view column) const {
  const std::string name(column);
  return impl_->in_group("metrics/" + std::string(group), [&](hid_t folder, const std::vector<int64_t>& steps) {
    if (H5Lexists(folder, name.c_str(), H5P_DEFAULT) <= 0)
      throw Error("the results have no column \"" + name + "\" in group \"" + std::string(group) + "\"");
    const auto read = [&](const std::string& dataset) {
      return read_rows<double>(hdf5::open_dataset(folder, dataset), H5T_NATIVE_DOUBLE, steps.size());
    };
    return Series{steps, read("wall_time"), read(name)};
  });
}

std::vector<int64_t> Reader::image_steps(std::string_view tag) const {
  return impl_->in_group("images/" + std::string(tag), [](hid_t, const std::vector<int64_t>& steps) { return steps; });
}

std::vector<uint8_t> Reader::image(std::string_view tag, int64_t row) const {
  return impl_->in_group("images/" + std::string(tag), [&](hid_t folder, const std::vector<int64_t>& steps) {
    if (row < 0 || row >= static_cast<int64_t>(steps.size()))
      throw Error("images \"" + std::string(tag) + "\" have rows 0 to " + std::to_string(steps.size()) +
                  " (exclusive), not " + std::to_string(row));
    const Handle data = hdf5::open_dataset(folder, "data");
    const Handle space = hdf5::space_of(data, 4);
    hsize_t dims[4] = {}, at[4] = {static_cast<hsize_t>(row), 0, 0, 0};
    check(H5Sget_simple_extent_dims(space, dims, nullptr), "image size");
    dims[0] = 1;
    std::vector<uint8_t> pixels(dims[1] * dims[2] * dims[3]);
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, at, nullptr, dims, nullptr), "selecting an image");
    check(H5Dread(data, H5T_NATIVE_UINT8, hdf5::simple_space(4, dims), space, H5P_DEFAULT, pixels.data()),
          "reading an image");
    return pixels;
  });
}

}  // namespace perrin::store
