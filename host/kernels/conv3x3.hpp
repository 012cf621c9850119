// 3x3 convolution, stride 1, one zero of padding, channels last, float32, by Winograd's F(2x2, 3x3) (1509.09308): 16
// multiplications for what takes 36. Errors are about twice those of the direct sum.
#pragma once

#include <cstdint>

#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

struct Conv3x3 {
  int64_t batch = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t in = 0;   // channels, a multiple of 16
  int64_t out = 0;  // channels, a multiple of 16
};

// w[o][i][ky][kx] at data[o * out + i * in + ky * row + kx * column]. Strides may be negative.
template <class T>
struct KernelView {
  T* data = nullptr;
  int64_t out = 0, in = 0, row = 0, column = 0;

  // The kernel whose convolution is the gradient of the input: in and out exchanged, turned by 180 degrees.
  KernelView turned() const { return {data + 2 * row + 2 * column, in, out, -row, -column}; }
};

// y (batch, height, width, out) = x (batch, height, width, in) * w + bias; bias (out) or null. The result does not
// depend on threads. Threads keep their scratch for the next call: the calling one 100 in out bytes, each 4096 (in +
// out). Throws perrin::Error for channels that are no multiple of 16.
void conv3x3(const Conv3x3& shape, const float* x, const KernelView<const float>& w, const float* bias, float* y,
             const ParallelFor& parallel = serial);

// dw and, unless null, dbias (out) from x and dy. Work is cut into a number of slices that depends on the shape alone,
// added in order, so the result does not depend on threads.
void conv3x3_weight_gradient(const Conv3x3& shape, const float* x, const float* dy, const KernelView<float>& dw,
                             float* dbias, const ParallelFor& parallel = serial);

// The direct sums in double.
void conv3x3_reference(const Conv3x3& shape, const float* x, const KernelView<const float>& w, const float* bias,
                       float* y);
void conv3x3_weight_gradient_reference(const Conv3x3& shape, const float* x, const float* dy,
                                       const KernelView<float>& dw, float* dbias);

}  // namespace perrin::kernels
