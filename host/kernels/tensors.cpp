#include "host/kernels/tensors.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/q_sample.hpp"

namespace perrin::kernels {
namespace {

// z of `like`'s shape, dtype and device.
at::Tensor normals(const at::Tensor& like, const BatchNoise& noise) {
  const auto rows = static_cast<int64_t>(noise.samples.size());
  at::Tensor z = at::empty(like.sizes(), at::TensorOptions(at::kFloat).pinned_memory(like.is_cuda()));
  const int64_t n = z.numel() / rows;
  float* to = z.mutable_data_ptr<float>();
  torch_threads()(rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      random::normal(noise.stream, noise.samples[static_cast<size_t>(b)], 0, {to + b * n, static_cast<size_t>(n)});
  });
  return z.to(like.device(), like.scalar_type());
}

bool share_layout(std::span<const at::Tensor> x) {
  for (const at::Tensor& each : x)
    if (each.strides() != x[0].strides()) return false;
  return x[0].is_non_overlapping_and_dense();
}

void check(std::span<const at::Tensor> x, double s, const BatchNoise& noise) {
  if (x.empty() || x.size() > kMaxTerms) throw Error("lincomb takes 1 to 16 terms, not " + std::to_string(x.size()));
  for (const at::Tensor& each : x)
    if (each.sizes() != x[0].sizes() || each.scalar_type() != x[0].scalar_type() || each.device() != x[0].device())
      throw Error(c10::str("lincomb of tensors that differ: ", x[0].toString(), " ", x[0].sizes(), " on ",
                           x[0].device(), " and ", each.toString(), " ", each.sizes(), " on ", each.device()));
  if (s != 0 && (x[0].dim() == 0 || x[0].size(0) != static_cast<int64_t>(noise.samples.size())))
    throw Error(c10::str("lincomb with noise for ", noise.samples.size(), " samples of a tensor ", x[0].sizes()));
}

template <class T>
at::Tensor lincomb_as(std::span<const at::Tensor> x, std::span<const double> a, const Noise* noise) {
  const bool as_is = noise == nullptr && share_layout(x);
  std::array<at::Tensor, kMaxTerms> held;
  std::array<Term<T>, kMaxTerms> terms;
  for (size_t i = 0; i < x.size(); ++i) {
    held[i] = as_is ? x[i] : x[i].contiguous();
    terms[i] = {static_cast<T>(a[i]), held[i].template const_data_ptr<T>()};
  }
  at::Tensor y = at::empty_like(held[0]);
  lincomb(std::span<const Term<T>>(terms.data(), x.size()), noise,
          std::span<T>(y.template mutable_data_ptr<T>(), static_cast<size_t>(y.numel())), torch_threads());
  return y;
}

// [B] -> [B, 1, ...] like x, on its device.
at::Tensor per_row(const std::vector<float>& values, const at::Tensor& x) {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[0] = static_cast<int64_t>(values.size());
  return at::from_blob(const_cast<float*>(values.data()), sizes, at::kFloat)
      .to(x.device(), x.scalar_type(), false, true);
}

std::span<float> flat(const at::Tensor& t) {
  if (!t.defined()) return {};
  return {t.mutable_data_ptr<float>(), static_cast<size_t>(t.numel())};
}

}  // namespace

at::Tensor lincomb(std::span<const at::Tensor> x, std::span<const double> a, double s, const BatchNoise& noise) {
  check(x, s, noise);
  if (!x[0].device().is_cpu()) return lincomb_portable(x, a, s, noise);
  const bool noisy = s != 0 && x[0].numel() > 0;
  const Noise z{noise.stream, noise.samples.data(), noisy ? x[0].numel() / x[0].size(0) : 0, s};
  return x[0].scalar_type() == at::kDouble ? lincomb_as<double>(x, a, noisy ? &z : nullptr)
                                           : lincomb_as<float>(x, a, noisy ? &z : nullptr);
}

at::Tensor lincomb_portable(std::span<const at::Tensor> x, std::span<const double> a, double s,
                            const BatchNoise& noise) {
  at::Tensor y = x[0].mul(a[0]);
  for (size_t i = 1; i < x.size(); ++i) y.add_(x[i], a[i]);
  if (s != 0 && y.numel() > 0) y = y.contiguous().add_(normals(y, noise), s);
  return y;
}

Noised q_sample(const at::Tensor& x0, const RowCoefficients& rows, const BatchNoise& noise) {
  if (!x0.device().is_cpu()) return q_sample_portable(x0, rows, noise);
  const at::Tensor source = x0.contiguous();
  const Noised out{at::empty_like(source), at::empty_like(source)};
  const auto n = static_cast<int64_t>(noise.samples.size());
  q_sample({source.const_data_ptr<float>(), n, source.numel() / n, noise.stream, noise.samples.data(),
            rows.alpha.data(), rows.sigma.data(), out.x_t.mutable_data_ptr<float>(), rows.target_x0.data(),
            rows.target_noise.data(), out.target.mutable_data_ptr<float>()},
           torch_threads());
  return out;
}

Noised q_sample_portable(const at::Tensor& x0, const RowCoefficients& rows, const BatchNoise& noise) {
  const at::Tensor source = x0.contiguous(), eps = normals(source, noise);
  const auto mix = [&](const std::vector<float>& signal, const std::vector<float>& noise_scale) {
    return source.mul(per_row(signal, source)).addcmul_(eps, per_row(noise_scale, source));
  };
  return {mix(rows.alpha, rows.sigma), mix(rows.target_x0, rows.target_noise)};
}

void adamw_ema(const AdamW& options, const AdamWTensors& t) {
  if (!t.weight.device().is_cpu()) return adamw_ema_portable(options, t);
  adamw_ema(options, {flat(t.weight), flat(t.gradient), flat(t.first_moment), flat(t.second_moment), flat(t.ema)},
            torch_threads());
}

void adamw_ema_portable(const AdamW& o, const AdamWTensors& t) {
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(o.step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(o.step));
  const at::Tensor g = t.gradient.mul(o.grad_scale);
  t.first_moment.lerp_(g, 1 - o.beta1);
  t.second_moment.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
  const at::Tensor denominator = t.second_moment.sqrt().mul_(1 / std::sqrt(correction2)).add_(o.eps);
  t.weight.mul_(1 - o.lr * o.weight_decay).addcdiv_(t.first_moment, denominator, -o.lr / correction1);
  if (t.ema.defined()) t.ema.lerp_(t.weight, 1 - o.ema_decay);
}

void sgd_ema(const Sgd& options, const MomentumTensors& t) {
  if (!t.weight.device().is_cpu()) return sgd_ema_portable(options, t);
  sgd_ema(options, {flat(t.weight), flat(t.gradient), flat(t.moment), flat(t.ema)}, torch_threads());
}

void sgd_ema_portable(const Sgd& o, const MomentumTensors& t) {
  const at::Tensor g = t.gradient.mul(o.grad_scale).add_(t.weight, o.l2);
  const at::Tensor b = t.moment.defined() ? t.moment.mul_(o.momentum).add_(g) : g;
  t.weight.add_(o.nesterov ? g.add(b, o.momentum) : b, -o.lr);
  if (t.ema.defined()) t.ema.lerp_(t.weight, 1 - o.ema_decay);
}

void lion_ema(const Lion& options, const MomentumTensors& t) {
  if (!t.weight.device().is_cpu()) return lion_ema_portable(options, t);
  lion_ema(options, {flat(t.weight), flat(t.gradient), flat(t.moment), flat(t.ema)}, torch_threads());
}

void lion_ema_portable(const Lion& o, const MomentumTensors& t) {
  const at::Tensor g = t.gradient.mul(o.grad_scale);
  t.weight.mul_(1 - o.lr * o.weight_decay).add_(t.moment.lerp(g, 1 - o.beta1).sign_(), -o.lr);
  t.moment.lerp_(g, 1 - o.beta2);
  if (t.ema.defined()) t.ema.lerp_(t.weight, 1 - o.ema_decay);
}

void ema(double decay, const at::Tensor& weight, const at::Tensor& average) {
  if (!weight.device().is_cpu()) return void(average.lerp_(weight, 1 - decay));
  ema(decay, flat(weight), flat(average), torch_threads());
}

void adafactor(const Adafactor& options, const AdafactorTensors& t) {
  if (!t.weight.device().is_cpu()) return adafactor_portable(options, t);
  adafactor(options, {t.row.numel(), t.column.numel(), flat(t.weight), flat(t.gradient), flat(t.row), flat(t.column)},
            torch_threads());
}

void adafactor_portable(const Adafactor& o, const AdafactorTensors& t) {
  const auto time = static_cast<double>(o.step);
  const double one_minus_beta2 = std::pow(time, -o.decay_power),
               root = std::sqrt(static_cast<double>(t.weight.numel()));
  const at::Tensor g = t.gradient.mul(o.grad_scale).view({t.row.numel(), t.column.numel()});
  const at::Tensor squares = g.square().add_(o.eps1);
  t.row.lerp_(squares.mean(1), one_minus_beta2);
  t.column.lerp_(squares.mean(0), one_minus_beta2);
  const at::Tensor u = g.mul(t.row.div(t.row.mean()).rsqrt_().unsqueeze(1)).mul_(t.column.rsqrt().unsqueeze(0));
  const double alpha = std::max(o.eps2, norm2(t.weight) / root) * std::min(o.lr, 1 / std::sqrt(time)) /
                       std::max(1.0, norm2(u) / root / o.clip);
  t.weight.mul_(1 - o.lr * o.weight_decay).add_(u.view(-1), -alpha);
}

double norm2(const at::Tensor& x) { return x.device().is_cpu() ? norm2(flat(x), torch_threads()) : norm2_portable(x); }

double norm2_portable(const at::Tensor& x) { return std::sqrt(x.square().sum(at::kDouble).item<double>()); }

}  // namespace perrin::kernels
