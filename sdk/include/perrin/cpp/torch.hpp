// Tier B: LibTorch tensors in plugins, and parameters that the host owns. Include the operators you use
// (<ATen/ops/conv2d.h>, ...) beside this header; torch/torch.h works too but costs 17 s a file.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/version.h>

#include <deque>
#include <functional>

#include "../host/params.h"
#include "../host/torch.h"
#include "plugin.hpp"

namespace perrin {

namespace detail {
inline const perrin_host_torch& torch_api() {
  static const auto* table = service<perrin_host_torch>(PERRIN_HOST_TORCH);
  return *table;
}
}  // namespace detail

// The tensor inside a handle; NULL gives an undefined tensor.
inline at::Tensor tensor(perrin_tensor* handle) {
  return handle ? *static_cast<at::Tensor*>(detail::torch_api().unwrap(handle)) : at::Tensor();
}
// A new handle; an undefined tensor gives NULL.
inline perrin_tensor* wrap(const at::Tensor& tensor) {
  return tensor.defined() ? detail::torch_api().wrap(&tensor) : nullptr;
}

// How the host fills a parameter before training.
struct Init {
  uint32_t kind = PERRIN_INIT_CONSTANT;
  double a = 0;
  static Init constant(double value) { return {PERRIN_INIT_CONSTANT, value}; }
  static Init zeros() { return constant(0); }
  static Init ones() { return constant(1); }
  static Init normal(double deviation) { return {PERRIN_INIT_NORMAL, deviation}; }
  static Init uniform(double bound) { return {PERRIN_INIT_UNIFORM, bound}; }
};

// The parameters and buffers of one component. Declare them while building (in infer or the constructor); the host
// allocates, initialises and binds. A declared tensor is undefined until then, and its address never changes.
class Parameters {
 public:
  struct Options {
    bool no_decay = false;  // weight decay leaves it alone
    uint32_t role = PERRIN_PARAMETER;
    at::ScalarType dtype = at::kFloat;
    std::string tie_to = {};
    bool normalise = false;  // rows of norm sqrt(elements), initially and after each training step
  };

  const at::Tensor& add(std::string name, std::vector<int64_t> sizes, Init init, Options options) {
    entries_.push_back({std::move(name), std::move(sizes), init, std::move(options), {}, {}, {}});
    return entries_.back().value;
  }
  const at::Tensor& add(std::string name, std::vector<int64_t> sizes, Init init) {
    return add(std::move(name), std::move(sizes), init, Options());
  }

  // A tensor that exists already (a member of a torch::nn::Module): its values are the initial ones, and it shares the
  // host's memory and gradient once bound.
  void adopt(std::string name, at::Tensor own, uint32_t role) {
    Options options;
    options.role = role;
    options.no_decay = own.dim() < 2;
    options.dtype = own.scalar_type();
    entries_.push_back({std::move(name), own.sizes().vec(), {PERRIN_INIT_GIVEN, 0}, options, {}, own, {}});
  }

  // Initial values of what is declared already, such as a file's: `values` is asked for each and may answer with an
  // undefined tensor. Their dtype is converted, their sizes must be the declared ones.
  void give(const std::function<at::Tensor(const std::string& name, at::IntArrayRef sizes)>& values) {
    for (Entry& entry : entries_) {
      const at::Tensor value = values(entry.name, entry.sizes);
      if (!value.defined()) continue;
      entry.given = value.to(entry.options.dtype).contiguous();
      entry.init.kind = PERRIN_INIT_GIVEN;
    }
  }

  void declare(const perrin_param_sink& sink) const {
    for (const Entry& entry : entries_) {
      perrin_param p{};
      p.struct_size = sizeof p;
      p.role = entry.options.role;
      p.name = text(entry.name);
      p.dtype = static_cast<uint32_t>(entry.options.dtype);
      p.rank = static_cast<uint32_t>(entry.sizes.size());
      for (uint32_t i = 0; i < p.rank; ++i) p.sizes[i] = entry.sizes[i];
      p.init = entry.init.kind;
      p.init_a = entry.init.a;
      p.no_decay = entry.options.no_decay;
      p.tie_to = text(entry.options.tie_to);
      p.normalise = entry.options.normalise;
      p.given = wrap(entry.given.defined() ? entry.given : entry.own);
      perrin_status* status = sink.declare(sink.context, &p);
      if (p.given) service<perrin_host_tensor>(PERRIN_HOST_TENSOR)->release(p.given);
      check(status);
    }
  }

  void bind(uint32_t n, perrin_tensor* const* tensors) {
    if (n != entries_.size()) throw Failure("bind: the host gave another number of tensors than were declared");
    for (uint32_t i = 0; i < n; ++i) {
      entries_[i].value = tensor(tensors[i]);
      if (!entries_[i].own.defined()) continue;
      const bool trained = entries_[i].value.requires_grad();
      entries_[i].own.set_requires_grad(false);
      entries_[i].own.set_data(entries_[i].value.detach());
      entries_[i].own.set_requires_grad(trained);
      entries_[i].own.mutable_grad() = entries_[i].value.grad();
    }
  }

 private:
  struct Entry {
    std::string name;
    std::vector<int64_t> sizes;
    Init init;
    Options options;
    at::Tensor value;  // the host's
    at::Tensor own;    // the module's, if it has one
    at::Tensor given;  // initial values from elsewhere
  };
  std::deque<Entry> entries_;
};

// perrin.params/1 for a class with `Parameters& parameters()`.
template <class T>
struct ParamsAdapter {
  static perrin_status* declare(void* instance, const perrin_param_sink* sink) {
    return detail::call<T>(instance, [&](T& self) { self.parameters().declare(*sink); });
  }
  static perrin_status* bind(void* instance, uint32_t n, perrin_tensor* const* tensors) {
    return detail::call<T>(instance, [&](T& self) { self.parameters().bind(n, tensors); });
  }
  static constexpr perrin_params params = {sizeof(perrin_params), 0, declare, bind};
  static const void* get_extension(perrin_text id) { return view(id) == PERRIN_PARAMS ? &params : nullptr; }
};

}  // namespace perrin

// ---- Fingerprint -----------------------------------------------------------------------------------------------------

#define PERRIN_QUOTE_(x) #x
#define PERRIN_QUOTE(x) PERRIN_QUOTE_(x)
#ifdef __clang__
#define PERRIN_COMPILER "Clang " PERRIN_QUOTE(__clang_major__)
#else
#define PERRIN_COMPILER "GNU " PERRIN_QUOTE(__GNUC__)
#endif
#ifndef PERRIN_TORCH_CUDA_MAJOR
#define PERRIN_TORCH_CUDA_MAJOR 0
#endif
#ifndef PERRIN_SIZEOF_MODULE
#define PERRIN_SIZEOF_MODULE 0  // nn.hpp sets it
#endif
#define PERRIN_NOTE_TIER_B                                                                                   \
  {                                                                                                          \
    PERRIN_ABI_MAJOR, PERRIN_TARGET_MINOR, PERRIN_TIER_B, 0, {                                               \
      TORCH_VERSION, PERRIN_SDK_VERSION, PERRIN_COMPILER, __GXX_ABI_VERSION, _GLIBCXX_USE_CXX11_ABI, __cplusplus, \
          PERRIN_TORCH_CUDA_MAJOR, sizeof(c10::TensorImpl), PERRIN_SIZEOF_MODULE                             \
    }                                                                                                        \
  }
