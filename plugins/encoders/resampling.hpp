// Changes of resolution by two. An image is [B, C, H, W]; time is resampled as the height of an image [B, C, T, H W].
#pragma once

#include <perrin/cpp/layers.hpp>

namespace first_stage {

enum class Down { conv, max, avg, adaptive_avg, adaptive_max, bilinear, nearest, area, pixel_unshuffle };
enum class Up { conv_transpose, nearest_conv, bilinear_conv, pixel_shuffle };

// What is halved or doubled: height and width, or of an image whose height is time, the height alone.
enum class Axes { space, time };

// [B, C, H, W] -> [B, C, H / 2, W / 2], or [B, C, H / 2, W]. H, and W in space, are even.
//   conv             3 x 3 with stride 2, padded by zeros below and on the right alone (CompVis; diffusers'
//   Downsample2D) max, avg         of 2 x 2 pixels adaptive-*       torch's adaptive pooling to half the size bilinear,
//   nearest, area   torch's interpolate, corners not aligned, no antialiasing pixel-unshuffle  2 x 2 pixels become
//   channels (1609.05158, section 3.2, the other way), 1 x 1 convolution back to C
// Of an even size avg, adaptive-avg, bilinear and area are the same mean of 2 x 2, and max and adaptive-max the same.
class Downsample {
 public:
  Downsample(perrin::Parameters& p, const std::string& name, int64_t channels, Down kind, Axes axes);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Down kind_;
  int64_t rows_ = 2, columns_;  // what one pixel comes from
  std::optional<perrin::detail::WeightBias> conv_;
};

// [B, C, H, W] -> [B, C, 2 H, 2 W], or [B, C, 2 H, W].
//   conv-transpose   4 x 4 with stride 2
//   nearest-conv, bilinear-conv   interpolation, 3 x 3 convolution (nearest: diffusers' Upsample2D)
//   pixel-shuffle    3 x 3 convolution to 4 C channels, which become 2 x 2 pixels (1609.05158, equation 4)
class Upsample {
 public:
  Upsample(perrin::Parameters& p, const std::string& name, int64_t channels, Up kind, Axes axes);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor convolved(const at::Tensor& x) const;

  Up kind_;
  int64_t rows_ = 2, columns_;  // what one pixel becomes
  perrin::detail::WeightBias conv_;
  perrin::HostOperator<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                                  int64_t)>
      operation_;
};

}  // namespace first_stage
