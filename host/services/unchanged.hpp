// Inputs that a plugin borrows and does not write to, looked at in the calls that are looked at closely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/services/call.hpp"

namespace perrin::services {

class Unchanged {
 public:
  explicit Unchanged(const Call& call) : call_(call), closely_(call.closely()) {}
  void add(const char* name, const void* data, size_t bytes);
  void add(const char* name, perrin_tensor* tensor);  // NULL: nothing
  void add(uint32_t n, const perrin_named_tensor* tensors);
  // Throws Misbehaviour with the first input whose values changed.
  void check() const;

 private:
  struct Input {
    std::string name;
    const void* data;
    size_t bytes;
    perrin_tensor* tensor;
    uint64_t digest;
  };
  const Call& call_;
  bool closely_;
  std::vector<Input> inputs_;
};

}  // namespace perrin::services
