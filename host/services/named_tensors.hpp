// Tensors by name, as plugins are given the fields of samples and the inputs of losses.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {

// Handles for the length of a call; the names are borrowed.
class NamedTensors {
 public:
  // An undefined tensor has the handle NULL.
  void add(std::string_view name, const at::Tensor& tensor) {
    named_.push_back({text(name), handles_.emplace_back(wrap(tensor)).get()});
  }
  uint32_t size() const { return static_cast<uint32_t>(named_.size()); }
  const perrin_named_tensor* data() const { return named_.data(); }

 private:
  std::vector<TensorHandle> handles_;
  std::vector<perrin_named_tensor> named_;
};

}  // namespace perrin::services
