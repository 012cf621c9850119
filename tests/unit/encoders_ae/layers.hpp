// The layers of plugins/encoders by themselves, which no table of the ABI reaches.
#pragma once

#include <ATen/Context.h>
#include <ATen/ops/rand.h>

#include "host/kernels/ops.hpp"
#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "plugins/encoders/resampling.hpp"

namespace perrin::testing {

// Parameters for layers, filled as the host fills uniform ones, from LibTorch's generator.
class Filled {
 public:
  Filled() {
    kernels::register_operators();
    perrin::detail::host_slot() = services::native_host();
  }

  // After the layers are built.
  void bind() {
    handles_.clear();
    names_.clear();
    p.declare({sizeof(perrin_param_sink), 0, this, fill});
    std::vector<perrin_tensor*> tensors;
    for (auto& handle : handles_) tensors.push_back(handle.get());
    p.bind(static_cast<uint32_t>(tensors.size()), tensors.data());
  }
  at::Tensor operator[](const std::string& name) {
    const auto at = std::find(names_.begin(), names_.end(), name);
    return services::unwrap(handles_.at(static_cast<size_t>(at - names_.begin())).get());
  }

  perrin::Parameters p;

 private:
  static perrin_status* fill(void* context, const perrin_param* p) {
    auto& self = *static_cast<Filled*>(context);
    const at::Tensor value = at::rand(at::IntArrayRef(p->sizes, p->rank)).mul(2).sub(1).mul(p->init_a);
    self.handles_.push_back(services::wrap(value));
    self.names_.emplace_back(p->name.data, p->name.size);
    return nullptr;
  }
  std::vector<services::TensorHandle> handles_;
  std::vector<std::string> names_;
};

}  // namespace perrin::testing
