// Owning C++ handle of a perrin_tensor, for plugins without LibTorch.
#pragma once

#include "../host/tensor.h"
#include "plugin.hpp"

namespace perrin {

// One reference. Copying retains, destruction releases.
class Handle {
 public:
  Handle() = default;
  static Handle adopt(perrin_tensor* tensor) { return Handle(tensor); }  // takes over a new reference
  static Handle borrow(perrin_tensor* tensor) {                          // keeps one of its own
    if (tensor) api()->retain(tensor);
    return Handle(tensor);
  }
  Handle(const Handle& other) : Handle(borrow(other.tensor_)) {}
  Handle(Handle&& other) noexcept : tensor_(std::exchange(other.tensor_, nullptr)) {}
  Handle& operator=(Handle other) noexcept { return std::swap(tensor_, other.tensor_), *this; }
  ~Handle() {
    if (tensor_) api()->release(tensor_);
  }

  perrin_tensor* get() const { return tensor_; }
  perrin_tensor* release() { return std::exchange(tensor_, nullptr); }
  explicit operator bool() const { return tensor_ != nullptr; }

 private:
  explicit Handle(perrin_tensor* tensor) : tensor_(tensor) {}
  static const perrin_host_tensor* api() {
    static const auto* table = service<perrin_host_tensor>(PERRIN_HOST_TENSOR);
    return table;
  }
  perrin_tensor* tensor_ = nullptr;
};

// One term of a linear combination.
struct Term {
  double a;
  const Handle& x;
};

}  // namespace perrin
