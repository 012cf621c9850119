#include "metrics/reconstruction.hpp"

#include <ATen/TensorOperators.h>

namespace perrin::metrics {

Reconstruction reconstruction(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor d = (x.to(at::kDouble) - y.to(at::kDouble)).flatten(1);  // [B, elements]
  const at::Tensor mse = d.square().mean(1);
  return {d.abs().mean(1), mse, mse.reciprocal().mul(4).log10().mul(10)};
}

}  // namespace perrin::metrics
