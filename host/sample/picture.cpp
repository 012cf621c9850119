#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/sample/generate.hpp"
#include "host/services/finite.hpp"

namespace perrin::sample {
namespace {

constexpr int kScatterSize = 256;

// A byte has no place for them: they would be black.
void check_drawable(const at::Tensor& samples) {
  if (!services::all_finite(samples)) throw Error("samples that are not finite make no picture");
}

// Points of [n, 2] on white, x to the right, y up, the axes scaled alike around the origin.
store::Image scatter(const at::Tensor& points) {
  check_drawable(points);
  store::Image image{kScatterSize, kScatterSize, 1, std::vector<uint8_t>(kScatterSize * kScatterSize, 255)};
  const double reach = std::max(1e-9, points.abs().max().item<double>()) * 1.05;
  const auto p = points.to(at::kDouble).contiguous();
  const double* values = p.const_data_ptr<double>();
  const auto pixel = [&](double v) { return static_cast<int>(std::lround((v / reach + 1) / 2 * (kScatterSize - 1))); };
  for (int64_t i = 0; i < p.size(0); ++i) {
    const int column = pixel(values[2 * i]), row = kScatterSize - 1 - pixel(values[2 * i + 1]);
    if (column < 0 || row < 0 || column >= kScatterSize || row >= kScatterSize) continue;
    uint8_t& value = image.pixels[static_cast<size_t>(row) * kScatterSize + static_cast<size_t>(column)];
    value = static_cast<uint8_t>(std::max(0, value - 96));
  }
  return image;
}

}  // namespace

bool can_draw(const at::Tensor& samples) {
  const bool points = samples.dim() == 2 && samples.size(1) == 2;
  return points || (samples.dim() == 4 && (samples.size(1) == 1 || samples.size(1) == 3));
}

std::vector<uint8_t> to_pixels(const at::Tensor& images) {
  check_drawable(images);
  const at::Tensor bytes =
      images.clamp(-1, 1).add(1).mul(127.5).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  return {bytes.const_data_ptr<uint8_t>(), bytes.const_data_ptr<uint8_t>() + bytes.numel()};
}

store::Image picture(const at::Tensor& samples, int64_t columns) {
  if (samples.dim() == 2) return scatter(samples);
  const auto height = static_cast<int>(samples.size(2)), width = static_cast<int>(samples.size(3));
  store::GridStyle style;
  style.columns = static_cast<int>(columns);
  style.scale = std::max(1, 64 / std::max(height, width));
  return store::grid(to_pixels(samples), height, width, static_cast<int>(samples.size(1)), style);
}

}  // namespace perrin::sample
