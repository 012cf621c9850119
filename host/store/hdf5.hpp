// Inside host/store only: handles, errors and strings over the HDF5 C API.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perrin::store::hdf5 {

// A failed HDF5 call: what was being done, the library's innermost reason, errno where the system refused (else 0).
struct Failure {
  std::string doing, reason;
  int error_number = 0;
};

// Held around every group of HDF5 calls: not every build of the library is thread-safe, and its error printing,
// which is per thread, is switched off here.
[[nodiscard]] std::unique_lock<std::recursive_mutex> lock();

// Failure unless everything in the file is in it: links of other kinds lead to other files, and so do data that are kept
// outside or made up of other files' data. Perrin writes none, nor filters, whose libraries a file would choose.
void check_self_contained(hid_t file);

// The id if it is valid; otherwise throws Failure from the library's error stack, which is cleared.
hid_t check(hid_t result, const char* doing);

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }  // the caller closes it, or leaves it open on purpose

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

Handle
file_access();  // version 1.10 format, no chunk cache (run_file.hpp says why), locks where the file system has them
// Fixed-length UTF-8 for up to `longest` bytes and the zero behind them, as the Image and Dimension Scale
// specifications want.
Handle text_type(size_t longest);
Handle simple_space(int rank, const hsize_t* dims, const hsize_t* max_dims = nullptr);
Handle create_group(hid_t parent, const std::string& name);  // links and attributes remember the order of creation
Handle open_group(hid_t parent, const std::string& name);
Handle open_dataset(hid_t parent, const std::string& name);
hsize_t rows_of(hid_t dataset);  // its first dimension
// The data space; Failure unless it has `rank` dimensions, as many numbers as HDF5 then reads and writes of a selection.
Handle space_of(hid_t dataset, int rank);

void write_attribute(hid_t object, const std::string& name, std::string_view text);
void write_attribute(hid_t object, const std::string& name, uint8_t value);
std::string read_attribute(hid_t object, const std::string& name);  // Failure if absent or not one text
bool has_attribute(hid_t object, const std::string& name);
void write_text(hid_t parent, const std::string& name, std::string_view text);  // a scalar dataset
// Texts are at most kLongestText bytes, else Failure; likewise attributes.
std::string read_text(hid_t parent, const std::string& name);
inline constexpr size_t kLongestText = size_t{64} << 20;
inline constexpr size_t kLargestImage = size_t{1} << 28;  // bytes

// Names in order of creation. Failure for one with a control character, which would steer a terminal.
std::vector<std::string> links(hid_t group);
std::vector<std::string> attributes(hid_t object);

}  // namespace perrin::store::hdf5
