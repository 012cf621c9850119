#include "resampling.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace first_stage {

namespace {

// [B, C, r H, c W] -> [B, C r c, H, W] in torch's order of channels.
at::Tensor unshuffled(const at::Tensor& x, int64_t r, int64_t c) {
  return x.permute({0, 2, 3, 1})
      .unflatten(2, {-1, c})
      .unflatten(1, {-1, r})  // [B, H, r, W, c, C]
      .permute({0, 1, 3, 5, 2, 4})
      .flatten(3)
      .permute({0, 3, 1, 2});
}

// [B, C r c, H, W] -> [B, C, r H, c W].
at::Tensor shuffled(const at::Tensor& x, int64_t r, int64_t c) {
  return x.permute({0, 2, 3, 1})
      .unflatten(3, {-1, r, c})  // [B, H, W, C, r, c]
      .permute({0, 1, 4, 2, 5, 3})
      .flatten(3, 4)
      .flatten(1, 2)
      .permute({0, 3, 1, 2});
}

// The kernel of one axis: 1 where it stays as it is.
int64_t side(int64_t resampled, int64_t by) { return by == 1 ? 1 : resampled; }

std::vector<int64_t> down_weight(Down kind, int64_t channels, int64_t rows, int64_t columns) {
  if (kind == Down::conv) return {channels, channels, side(3, rows), side(3, columns)};
  return {channels, channels * rows * columns, 1, 1};
}

std::vector<int64_t> up_weight(Up kind, int64_t channels, int64_t rows, int64_t columns) {
  const int64_t size = kind == Up::conv_transpose ? 4 : 3;
  const int64_t out = kind == Up::pixel_shuffle ? channels * rows * columns : channels;
  return {out, channels, side(size, rows), side(size, columns)};
}

}  // namespace

Downsample::Downsample(perrin::Parameters& p, const std::string& name, int64_t channels, Down kind, Axes axes)
    : kind_(kind), columns_(axes == Axes::space ? 2 : 1) {
  if (kind_ == Down::conv || kind_ == Down::pixel_unshuffle)
    conv_.emplace(p, name + ".conv", down_weight(kind_, channels, rows_, columns_));
}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  const int64_t window[] = {rows_, columns_}, half[] = {x.size(2) / rows_, x.size(3) / columns_};
  switch (kind_) {
    case Down::conv:
      return at::conv2d(at::constant_pad_nd(x, {0, columns_ - 1, 0, 1}), *conv_->weight, *conv_->bias, window);
    case Down::pixel_unshuffle:
      return at::conv2d(unshuffled(x, rows_, columns_), *conv_->weight, *conv_->bias);
    case Down::max:
      return at::max_pool2d(x, window);
    case Down::avg:
      return at::avg_pool2d(x, window);
    case Down::adaptive_max:
      return std::get<0>(at::adaptive_max_pool2d(x, half));
    case Down::bilinear:
      return at::upsample_bilinear2d(x, half, false);
    case Down::nearest:
      return at::upsample_nearest2d(x, half);
    case Down::adaptive_avg:
    case Down::area:  // torch's interpolate of mode area is its adaptive mean
      break;
  }
  return at::adaptive_avg_pool2d(x, half);
}

Upsample::Upsample(perrin::Parameters& p, const std::string& name, int64_t channels, Up kind, Axes axes)
    : kind_(kind),
      columns_(axes == Axes::space ? 2 : 1),
      conv_(p, name + ".conv", up_weight(kind_, channels, rows_, columns_)),
      operation_("perrin::conv2d") {}

at::Tensor Upsample::convolved(const at::Tensor& x) const {
  if (columns_ == 2) return operation_(x, *conv_.weight, *conv_.bias, 1, 1);
  return at::conv2d(x, *conv_.weight, *conv_.bias, 1, {1, 0});
}

at::Tensor Upsample::operator()(const at::Tensor& x) const {
  const int64_t scale[] = {rows_, columns_}, twice[] = {x.size(2) * rows_, x.size(3) * columns_};
  switch (kind_) {
    case Up::conv_transpose:
      return at::conv_transpose2d(x, *conv_.weight, *conv_.bias, scale, {1, columns_ - 1});
    case Up::pixel_shuffle:
      return shuffled(convolved(x), rows_, columns_);
    case Up::bilinear_conv:
      return convolved(at::upsample_bilinear2d(x, twice, false));
    case Up::nearest_conv:
      break;
  }
  return convolved(at::upsample_nearest2d(x, twice));
}

}  // namespace first_stage
