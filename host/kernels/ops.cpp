#include "host/kernels/ops.hpp"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "host/kernels/ops_internal.hpp"

namespace perrin::kernels {

void register_operators() {
  // Referring to this file from outside is what makes the linker keep it and its registration.
}

const ParallelFor& torch_threads() {
  static const ParallelFor threads = [](int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
    at::parallel_for(0, n, grain, [&](int64_t begin, int64_t end) { body(begin, end); });
  };
  return threads;
}

}  // namespace perrin::kernels

TORCH_LIBRARY(perrin, library) {
  library.def(
      "group_norm_silu(Tensor x, int groups, Tensor? weight=None, Tensor? bias=None, Tensor? scale=None, "
      "Tensor? shift=None, float eps=1e-05, bool silu=True) -> Tensor",
      torch::dispatch(c10::DispatchKey::CompositeImplicitAutograd, &perrin::kernels::group_norm_silu));
}
