#include "diff_augment.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

namespace losses {
namespace {

// Draws of a sample, each uniform in (0, 1].
enum Draw { brightness, saturation, contrast, down, right, top, left, n_draws };

// One of lowest .. highest, from u in (0, 1].
int64_t integer(float u, int64_t lowest, int64_t highest) {
  const auto n = static_cast<double>(highest - lowest + 1);
  return lowest + std::min(static_cast<int64_t>(std::floor((1 - static_cast<double>(u)) * n)), highest - lowest);
}

// Brightness by -0.5 .. 0.5, saturation by 0 .. 2, contrast by 0.5 .. 1.5. u: [B, n_draws].
at::Tensor coloured(at::Tensor x, const at::Tensor& u) {
  const auto draw = [&](Draw which) { return u.select(1, which).view({-1, 1, 1, 1}).to(x.device(), x.scalar_type()); };
  x = x + (draw(brightness) - 0.5);
  const at::Tensor grey = x.mean(1, true);  // [B, 1, H, W]
  x = (x - grey) * (draw(saturation) * 2) + grey;
  const at::Tensor mean = x.mean({1, 2, 3}, true);  // [B, 1, 1, 1]
  return (x - mean) * (draw(contrast) + 0.5) + mean;
}

// Moved by at most an eighth of its size each way; zeros come in.
at::Tensor translated(const at::Tensor& x, const at::Tensor& u) {
  const int64_t H = x.size(2), W = x.size(3);
  const auto most = [](int64_t n) { return std::llround(static_cast<double>(n) / 8); };
  const int64_t rows = most(H), columns = most(W);
  const at::Tensor padded = at::constant_pad_nd(x, {columns, columns, rows, rows});
  std::vector<at::Tensor> moved;
  for (int64_t b = 0; b < x.size(0); ++b) {
    const float* own = u[b].const_data_ptr<float>();
    moved.push_back(
        padded[b].narrow(1, integer(own[down], 0, 2 * rows), H).narrow(2, integer(own[right], 0, 2 * columns), W));
  }
  return at::stack(moved);
}

// A rectangle of half the height and width, which may reach over the border, becomes zero.
at::Tensor cut(const at::Tensor& x, const at::Tensor& u) {
  const int64_t H = x.size(2), W = x.size(3);
  const at::Tensor kept = at::ones({x.size(0), 1, H, W}, at::kFloat);
  const auto range = [](float draw, int64_t n) {
    const int64_t size = (n + 1) / 2, first = integer(draw, 0, n - size % 2) - size / 2;
    return std::pair{std::max<int64_t>(first, 0), std::min(first + size, n)};
  };
  for (int64_t b = 0; b < x.size(0); ++b) {
    const float* own = u[b].const_data_ptr<float>();
    const auto [y0, y1] = range(own[top], H);
    const auto [x0, x1] = range(own[left], W);
    kept[b].narrow(1, y0, std::max<int64_t>(y1 - y0, 0)).narrow(2, x0, std::max<int64_t>(x1 - x0, 0)).zero_();
  }
  return x * kept.to(x.device(), x.scalar_type());
}

}  // namespace

DiffAugment::DiffAugment(const std::vector<std::string>& kinds)
    : rng_(perrin::service<perrin_host_rng>(PERRIN_HOST_RNG)) {
  for (const std::string& kind : kinds) {
    colour_ |= kind == "colour";
    translation_ |= kind == "translation";
    cutout_ |= kind == "cutout";
  }
}

at::Tensor DiffAugment::operator()(const at::Tensor& x, const perrin_call& call, Of of) const {
  if (!colour_ && !translation_ && !cutout_) return x;
  const at::Tensor u = draws(x, call, of);
  at::Tensor y = x;
  if (colour_) y = coloured(y, u);
  if (translation_) y = translated(y, u);
  return cutout_ ? cut(y, u) : y;
}

at::Tensor DiffAugment::draws(const at::Tensor& x, const perrin_call& call, Of of) const {
  const at::Tensor u = at::empty({x.size(0), n_draws}, at::kFloat);
  for (int64_t b = 0; b < x.size(0); ++b)
    rng_->uniform({call.seed, PERRIN_PURPOSE_LOSS, call.step}, call.samples[b], static_cast<uint64_t>(of) * 64, n_draws,
                  u[b].mutable_data_ptr<float>());
  return u;
}

}  // namespace losses
