#include "host/kernels/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/isa.hpp"

namespace perrin::kernels {
namespace {

struct Constants {
  float grad_scale, l2, keep, one_minus_beta1, beta2, one_minus_beta2, inverse_correction2, eps, step_size,
      one_minus_decay;
};

Constants constants_of(const AdamW& o) {
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(o.step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(o.step));
  return {static_cast<float>(o.grad_scale),
          static_cast<float>(o.l2),
          static_cast<float>(1 - o.lr * o.weight_decay),
          static_cast<float>(1 - o.beta1),
          static_cast<float>(o.beta2),
          static_cast<float>(1 - o.beta2),
          static_cast<float>(1 / std::sqrt(correction2)),
          static_cast<float>(o.eps),
          static_cast<float>(o.lr / correction1),
          static_cast<float>(1 - o.ema_decay)};
}

PERRIN_INLINE float update(const Constants& c, float w, float gradient, float& m, float& v) {
  const float g = std::fma(c.l2, w, c.grad_scale * gradient);
  m = std::fma(c.one_minus_beta1, g - m, m);
  v = std::fma(c.beta2, v, c.one_minus_beta2 * g * g);
  const float denominator = std::fma(std::sqrt(v), c.inverse_correction2, c.eps);
  return std::fma(-c.step_size, m / denominator, c.keep * w);
}

struct AdamWKernel {
  PERRIN_INLINE static void run(const Constants* constants, float* __restrict w, const float* __restrict g,
                                float* __restrict m, float* __restrict v, float* __restrict ema, int64_t n) {
    const Constants c = *constants;
    if (ema == nullptr) {
      for (int64_t i = 0; i < n; ++i) w[i] = update(c, w[i], g[i], m[i], v[i]);
      return;
    }
    for (int64_t i = 0; i < n; ++i) {
      const float next = update(c, w[i], g[i], m[i], v[i]);
      w[i] = next;
      ema[i] = std::fma(c.one_minus_decay, next - ema[i], ema[i]);
    }
  }
};

void check(const AdamW& options, const AdamWBuffers& b) {
  const size_t n = b.weight.size();
  if (b.gradient.size() != n || b.first_moment.size() != n || b.second_moment.size() != n ||
      (!b.ema.empty() && b.ema.size() != n)) {
    throw Error("adamw_ema: the buffers differ in length (weight has " + std::to_string(n) + ")");
  }
  if (options.step < 1) throw Error("adamw_ema: step " + std::to_string(options.step) + ", the first is 1");
}

constexpr int64_t kBlock = 4096;
constexpr int kSumLanes = 16;

PERRIN_INLINE double block_sum(const float* x, int64_t n) {
  double lane[kSumLanes] = {};
  int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    for (int l = 0; l < kSumLanes; ++l) lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  }
  for (int l = 0; i < n; ++i, ++l) lane[l] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (int width = kSumLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}

struct SumKernel {
  PERRIN_INLINE static void run(const float* x, int64_t n, int64_t first_block, int64_t end_block, double* sums) {
    for (int64_t b = first_block; b < end_block; ++b) {
      sums[b] = block_sum(x + b * kBlock, std::min(kBlock, n - b * kBlock));
    }
  }
};

double pairwise(std::span<const double> x) {
  if (x.empty()) return 0;
  if (x.size() == 1) return x[0];
  return pairwise(x.first(x.size() / 2)) + pairwise(x.subspan(x.size() / 2));
}

}  // namespace

void adamw_ema(const AdamW& options, const AdamWBuffers& b, const ParallelFor& parallel) {
  check(options, b);
  const Constants c = constants_of(options);
  parallel(static_cast<int64_t>(b.weight.size()), 1 << 14, [&](int64_t begin, int64_t end) {
    float* ema = b.ema.empty() ? nullptr : b.ema.data() + begin;
    dispatch<AdamWKernel>(&c, b.weight.data() + begin, b.gradient.data() + begin, b.first_moment.data() + begin,
                          b.second_moment.data() + begin, ema, end - begin);
  });
}

void adamw_ema_reference(const AdamW& options, const AdamWBuffers& b) {
  check(options, b);
  const Constants c = constants_of(options);
  for (size_t i = 0; i < b.weight.size(); ++i) {
    const float g = std::fma(c.l2, b.weight[i], c.grad_scale * b.gradient[i]);
    const float m = std::fma(c.one_minus_beta1, g - b.first_moment[i], b.first_moment[i]);
    const float v = std::fma(c.beta2, b.second_moment[i], c.one_minus_beta2 * g * g);
    const float denominator = std::fma(std::sqrt(v), c.inverse_correction2, c.eps);
    b.first_moment[i] = m, b.second_moment[i] = v;
    b.weight[i] = std::fma(-c.step_size, m / denominator, c.keep * b.weight[i]);
    if (!b.ema.empty()) b.ema[i] = std::fma(c.one_minus_decay, b.weight[i] - b.ema[i], b.ema[i]);
  }
}

double norm2(std::span<const float> x, const ParallelFor& parallel) {
  const int64_t n = static_cast<int64_t>(x.size());
  std::vector<double> sums(static_cast<size_t>((n + kBlock - 1) / kBlock));
  parallel(static_cast<int64_t>(sums.size()), 8,
           [&](int64_t begin, int64_t end) { dispatch<SumKernel>(x.data(), n, begin, end, sums.data()); });
  return std::sqrt(pairwise(sums));
}

double norm2_reference(std::span<const float> x) {
  std::vector<double> sums;
  for (size_t first = 0; first < x.size(); first += kBlock) {
    const size_t n = std::min<size_t>(kBlock, x.size() - first);
    double lane[kSumLanes] = {};
    for (size_t i = 0; i < n; ++i) lane[i % kSumLanes] += double{x[first + i]} * double{x[first + i]};
    for (int width = kSumLanes / 2; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
    }
    sums.push_back(lane[0]);
  }
  return std::sqrt(pairwise(sums));
}

}  // namespace perrin::kernels
