// GroupNorm (1803.08494), an optional per-sample scale and shift, and SiLU, in one operator.
//
//   u = (x - mean) rstd weight + bias            mean, rstd over the pixels and channels of one group of one sample
//   h = u (1 + scale) + shift                    scale, shift per sample and channel ("adaptive group norm",
//   2105.05233) y = silu ? h / (1 + exp(-h)) : h
#pragma once

#include <cstdint>

#include "host/kernels/bfloat16.hpp"
#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

struct GroupNorm {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t pixels = 0;
  int64_t groups = 1;         // divides channels
  bool channels_last = true;  // memory order (batch, pixels, channels), else (batch, channels, pixels)
  bool silu = true;
  double eps = 1e-5;
  const float* weight = nullptr;  // (channels) or null: 1
  const float* bias = nullptr;    // (channels) or null: 0
  const float* scale = nullptr;   // (batch, channels) or null: 0
  const float* shift = nullptr;   // (batch, channels) or null: 0
};

// Gradients of the parameters; each may be null. dweight and dbias: (channels); dscale and dshift: (batch, channels).
struct GroupNormGradients {
  float* weight = nullptr;
  float* bias = nullptr;
  float* scale = nullptr;
  float* shift = nullptr;
};

// T: float or Bfloat16 (statistics and all arithmetic in float32 or wider). x, y: contiguous in the stated order, y may
// be x. Writes mean and rstd, (batch, groups) each; backward needs them and x, nothing else. The result does not depend
// on threads. Throws perrin::Error if groups does not divide channels.
template <class T>
void group_norm_forward(const GroupNorm& norm, const T* x, T* y, float* mean, float* rstd,
                        const ParallelFor& parallel = serial);

// dx may be dy, not x.
template <class T>
void group_norm_backward(const GroupNorm& norm, const T* x, const T* dy, const float* mean, const float* rstd, T* dx,
                         const GroupNormGradients& gradients, const ParallelFor& parallel = serial);

// Plain loops in double, float32 storage.
void group_norm_forward_reference(const GroupNorm& norm, const float* x, float* y, float* mean, float* rstd);
void group_norm_backward_reference(const GroupNorm& norm, const float* x, const float* dy, float* dx,
                                   const GroupNormGradients& gradients);

}  // namespace perrin::kernels
