#include "host/kernels/momentum.hpp"

#include <cmath>
#include <string>

#include "host/base/error.hpp"
#include "host/kernels/isa.hpp"

namespace perrin::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;

// The step is own b + look_ahead g: momentum and 1 with Nesterov's look-ahead, 1 and 0 without.
struct SgdConstants {
  float grad_scale, l2, momentum, own, look_ahead, step_size, one_minus_decay;
};

SgdConstants constants_of(const Sgd& o) {
  return {static_cast<float>(o.grad_scale),   static_cast<float>(o.l2),
          static_cast<float>(o.momentum),     o.nesterov ? static_cast<float>(o.momentum) : 1.0f,
          o.nesterov ? 1.0f : 0.0f,           static_cast<float>(o.lr),
          static_cast<float>(1 - o.ema_decay)};
}

PERRIN_INLINE float next(const SgdConstants& c, float w, float gradient, float& b) {
  const float g = std::fma(c.l2, w, c.grad_scale * gradient);
  b = std::fma(c.momentum, b, g);
  return std::fma(-c.step_size, std::fma(c.own, b, c.look_ahead * g), w);
}

struct LionConstants {
  float grad_scale, keep, one_minus_beta1, one_minus_beta2, step_size, one_minus_decay;
};

LionConstants constants_of(const Lion& o) {
  return {static_cast<float>(o.grad_scale), static_cast<float>(1 - o.lr * o.weight_decay),
          static_cast<float>(1 - o.beta1),  static_cast<float>(1 - o.beta2),
          static_cast<float>(o.lr),         static_cast<float>(1 - o.ema_decay)};
}

PERRIN_INLINE float next(const LionConstants& c, float w, float gradient, float& m) {
  const float g = c.grad_scale * gradient;
  const float u = std::fma(c.one_minus_beta1, g - m, m);
  m = std::fma(c.one_minus_beta2, g - m, m);
  return std::fma(-c.step_size, static_cast<float>(u > 0) - static_cast<float>(u < 0), c.keep * w);
}

// moment and ema may be null.
template <class Constants>
struct Pass {
  PERRIN_INLINE static void run(const Constants* constants, float* __restrict w, const float* __restrict g,
                                float* __restrict moment, float* __restrict ema, int64_t n) {
    const Constants c = *constants;
    for (int64_t i = 0; i < n; ++i) {
      float none = 0;
      const float moved = next(c, w[i], g[i], moment != nullptr ? moment[i] : none);
      w[i] = moved;
      if (ema != nullptr) ema[i] = std::fma(c.one_minus_decay, moved - ema[i], ema[i]);
    }
  }
};

struct EmaKernel {
  PERRIN_INLINE static void run(float one_minus_decay, const float* __restrict w, float* __restrict ema, int64_t n) {
    for (int64_t i = 0; i < n; ++i) ema[i] = std::fma(one_minus_decay, w[i] - ema[i], ema[i]);
  }
};

void check(const char* name, const MomentumBuffers& b, bool moment) {
  const size_t n = b.weight.size();
  if (b.gradient.size() != n || (moment && b.moment.size() != n) || (!b.ema.empty() && b.ema.size() != n))
    throw Error(std::string(name) + ": the buffers differ in length (weight has " + std::to_string(n) + ")");
}

float* from(std::span<float> x, int64_t begin) { return x.empty() ? nullptr : x.data() + begin; }

template <class Constants>
void run(const Constants& c, const MomentumBuffers& b, const ParallelFor& parallel) {
  parallel(static_cast<int64_t>(b.weight.size()), kGrain, [&](int64_t begin, int64_t end) {
    dispatch<Pass<Constants>>(&c, b.weight.data() + begin, b.gradient.data() + begin, from(b.moment, begin),
                              from(b.ema, begin), end - begin);
  });
}

}  // namespace

void sgd_ema(const Sgd& options, const MomentumBuffers& b, const ParallelFor& parallel) {
  check("sgd_ema", b, options.momentum != 0 || !b.moment.empty());
  run(constants_of(options), b, parallel);
}

void sgd_ema_reference(const Sgd& options, const MomentumBuffers& b) {
  check("sgd_ema", b, options.momentum != 0 || !b.moment.empty());
  const SgdConstants c = constants_of(options);
  for (size_t i = 0; i < b.weight.size(); ++i) {
    const float g = std::fma(c.l2, b.weight[i], c.grad_scale * b.gradient[i]);
    const float moment = b.moment.empty() ? g : std::fma(c.momentum, b.moment[i], g);
    if (!b.moment.empty()) b.moment[i] = moment;
    b.weight[i] = std::fma(-c.step_size, std::fma(c.own, moment, c.look_ahead * g), b.weight[i]);
  }
  if (!b.ema.empty()) ema_reference(options.ema_decay, b.weight, b.ema);
}

void lion_ema(const Lion& options, const MomentumBuffers& b, const ParallelFor& parallel) {
  check("lion_ema", b, true);
  run(constants_of(options), b, parallel);
}

void lion_ema_reference(const Lion& options, const MomentumBuffers& b) {
  check("lion_ema", b, true);
  const LionConstants c = constants_of(options);
  for (size_t i = 0; i < b.weight.size(); ++i) {
    const float g = c.grad_scale * b.gradient[i], m = b.moment[i];
    const float u = std::fma(c.one_minus_beta1, g - m, m);
    const float sign = u > 0 ? 1.0f : u < 0 ? -1.0f : 0.0f;
    b.weight[i] = std::fma(-c.step_size, sign, c.keep * b.weight[i]);
    b.moment[i] = std::fma(c.one_minus_beta2, g - m, m);
  }
  if (!b.ema.empty()) ema_reference(options.ema_decay, b.weight, b.ema);
}

void ema(double decay, std::span<const float> weight, std::span<float> average, const ParallelFor& parallel) {
  if (average.size() != weight.size()) throw Error("ema: the buffers differ in length");
  parallel(static_cast<int64_t>(weight.size()), kGrain, [&](int64_t begin, int64_t end) {
    dispatch<EmaKernel>(static_cast<float>(1 - decay), weight.data() + begin, average.data() + begin, end - begin);
  });
}

void ema_reference(double decay, std::span<const float> weight, std::span<float> average) {
  const auto one_minus_decay = static_cast<float>(1 - decay);
  for (size_t i = 0; i < weight.size(); ++i) average[i] = std::fma(one_minus_decay, weight[i] - average[i], average[i]);
}

}  // namespace perrin::kernels
