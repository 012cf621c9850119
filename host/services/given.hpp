// Tensors that a plugin's function gives: taken with its reference, then looked at.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "host/services/call.hpp"
#include "host/services/finite.hpp"
#include "host/services/output.hpp"
#include "host/services/session.hpp"
#include "host/services/spec.hpp"
#include "host/services/tensor.hpp"
#include "host/services/unchanged.hpp"

namespace perrin::services {

// What a plugin gave in a call that failed all the same is released.
inline void drop_given(perrin_tensor* handle) {
  if (handle != nullptr && alive(handle) && take_back(handle)) TensorHandle(handle).reset();
}

// One handle that the plugin fills; a reference of the caller's once it was taken.
class Given {
 public:
  Given(const Call& call, std::string name, perrin_tensor** to) : call_(call), name_(std::move(name)), to_(to) {}
  ~Given() { drop_given(handle_); }
  Given(const Given&) = delete;
  void fill_from(perrin_tensor* handle) { handle_ = handle; }

  // The tensor, alive and owned.
  const at::Tensor& tensor() {
    if (owned_) return unwrap(owned_.get());
    perrin_tensor* const handle = handle_;
    if (handle == nullptr) call_.wrong("gave no " + name_ + " (NULL) and no status");
    if (!alive(handle)) call_.wrong("gave a " + name_ + " that was released, or never was a tensor");
    if (!take_back(handle))
      call_.wrong("gave a " + name_ + " of which it owns no reference, such as an input that it did not retain");
    owned_ = TensorHandle(std::exchange(handle_, nullptr));
    return unwrap(handle);
  }

  Given& shaped(const std::vector<int64_t>& sizes) {
    if (tensor().sizes() != at::IntArrayRef(sizes))
      call_.wrong("gave a " + name_ + " of shape " + c10::str(tensor().sizes()) + " in place of " +
                  c10::str(at::IntArrayRef(sizes)));
    return *this;
  }
  Given& floating() {
    if (!at::isFloatingType(tensor().scalar_type()))
      call_.wrong("gave a " + name_ + " of dtype " + c10::str(tensor().scalar_type()) + ", which holds no real numbers");
    const c10::Device device = Session::here().device();
    if (tensor().device().type() != device.type())
      call_.wrong("gave a " + name_ + " on " + tensor().device().str() + " in place of " + device.str());
    return *this;
  }
  Given& like(const at::Tensor& other) {
    shaped(other.sizes().vec());
    if (tensor().scalar_type() != other.scalar_type())
      call_.wrong("gave a " + name_ + " of dtype " + c10::str(tensor().scalar_type()) + " in place of " +
                  c10::str(other.scalar_type()));
    if (tensor().device() != other.device())
      call_.wrong("gave a " + name_ + " on " + tensor().device().str() + " in place of " + other.device().str());
    return *this;
  }
  Given& finite() {
    if (!all_finite(tensor())) call_.wrong("gave a " + name_ + " of which " + count_not_finite(tensor()));
    return *this;
  }
  // In training divergence is the optimizer's matter, unless somebody looks for its beginning.
  Given& finite_unless_training(const perrin_call* told) {
    return told == nullptr || told->training == 0 ? finite() : finite_if_looked_for();
  }
  Given& finite_if_looked_for() { return FindNonFinite::active() ? finite() : *this; }
  Given& with_graph(bool wanted) {
    if (wanted && at::GradMode::is_enabled() && !tensor().requires_grad())
      call_.wrong("gave a " + name_ + " without a graph: nothing can be learnt from it. Compute it from the inputs by "
                  "operators that have gradients, or by custom_grad, and do not detach it");
    return *this;
  }
  void give() {
    tensor();
    *to_ = owned_.release();
  }

 private:
  const Call& call_;
  std::string name_;
  perrin_tensor** to_;
  perrin_tensor* handle_ = nullptr;
  TensorHandle owned_;
};

// An array of handles in a room of its own.
class Handles : public Output {
 public:
  Handles(const Call& call, const char* name, size_t n) : Output(call, name, dummy_.data(), n * sizeof(perrin_tensor*)) {
    std::memset(room_, 0, bytes_);
  }
  ~Handles() {
    for (size_t i = 0; i < bytes_ / sizeof(perrin_tensor*); ++i) drop_given(data()[i]);
  }
  perrin_tensor** data() const { return static_cast<perrin_tensor**>(Output::data()); }
  perrin_tensor* take(size_t i) { return check_borders(), std::exchange(data()[i], nullptr); }

 private:
  static inline std::vector<std::byte> dummy_ = std::vector<std::byte>(1);
};

// One tensor that a call gives: `name` is the header's, `title` its name in a sentence.
class One {
 public:
  One(const Call& call, const char* name, std::string title, perrin_tensor** to)
      : inputs(call), out_(call, name, 1), given_(call, std::move(title), to) {}

  // function(perrin_tensor** out) is the call.
  template <class Function>
  Given& by(Function&& function) {
    function(out_.data());
    inputs.check();
    given_.fill_from(out_.take(0));
    return given_;
  }

  Unchanged inputs;

 private:
  Handles out_;
  Given given_;
};

}  // namespace perrin::services
