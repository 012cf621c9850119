#include "host/kernels/ops.hpp"

#include <torch/library.h>

#include "host/kernels/ops_internal.hpp"

namespace perrin::kernels {

void register_operators() {
  // Referring to this file from outside is what makes the linker keep it and its registration.
}

}  // namespace perrin::kernels

TORCH_LIBRARY(perrin, library) {
  library.def(
      "group_norm_silu(Tensor x, int groups, Tensor? weight=None, Tensor? bias=None, Tensor? scale=None, "
      "Tensor? shift=None, float eps=1e-05, bool silu=True) -> Tensor",
      torch::dispatch(c10::DispatchKey::CompositeImplicitAutograd, &perrin::kernels::group_norm_silu));
  library.def("attention(Tensor q, Tensor k, Tensor v, float? scale=None) -> Tensor",
              torch::dispatch(c10::DispatchKey::CompositeImplicitAutograd, &perrin::kernels::attention));
  library.def("conv2d(Tensor x, Tensor weight, Tensor? bias=None, int stride=1, int padding=0) -> Tensor",
              torch::dispatch(c10::DispatchKey::CompositeImplicitAutograd, &perrin::kernels::conv2d));
}
