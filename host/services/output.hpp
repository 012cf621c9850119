// Arrays that a plugin fills. It never gets the host's own memory: it gets an array between patterns, on pages with
// nothing beside them, which becomes the host's once it was checked. A write behind or before it is named, or, where it
// goes far, ends in the crash handler with the plugin still in the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace perrin::services {

class Call;

class Output {
 public:
  // Room for `bytes` in place of `to`. `name` is the header's. `to` NULL: the plugin gets NULL.
  Output(const Call& call, const char* name, void* to, size_t bytes);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void* data() const { return to_ == nullptr ? nullptr : room_; }
  // Throws Misbehaviour if something beside the array was written to.
  void check_borders() const;
  // check_borders, and gives the array to the host.
  void take() const;

 protected:
  const Call& call_;
  const char* name_;
  void* to_;
  size_t bytes_;
  std::byte* room_ = nullptr;

 private:
  size_t index_;  // of the thread's rooms
};

// n doubles; what was not written to is seen.
class Numbers : public Output {
 public:
  Numbers(const Call& call, const char* name, double* to, uint64_t n);
  double* data() const { return static_cast<double*>(Output::data()); }
  // Throws Misbehaviour with the first element that is not finite or not in [low, high], or was not written.
  void take_finite(double low = -std::numeric_limits<double>::max(),
                   double high = std::numeric_limits<double>::max()) const;
  // The same for numbers that may be infinite (`nan` allows NaN too).
  void take_any(double low = -std::numeric_limits<double>::infinity(), bool nan = false) const;

 private:
  void check_written() const;
  [[noreturn]] void wrong(uint64_t i, const std::string& must) const;
  uint64_t n_;
};

}  // namespace perrin::services
