// How far reconstructions are from their images.
#pragma once

#include <ATen/core/Tensor.h>

namespace perrin::metrics {

// [B] each. x, y: [B, ...] in [-1, 1].
struct Reconstruction {
  at::Tensor l1;    // mean absolute difference
  at::Tensor mse;   // mean squared difference
  at::Tensor psnr;  // dB: 10 log10(2^2 / mse), the peak being the range of values; infinite for equal images
  at::Tensor psnr_8bit;  // dB: 10 log10(255^2 / mse) of both as pictures: clipped, in 256 steps. What other programs give
};
Reconstruction reconstruction(const at::Tensor& x, const at::Tensor& y);

}  // namespace perrin::metrics
