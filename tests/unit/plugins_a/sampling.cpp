#include "tests/unit/plugins_a/sampling.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <numeric>

#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/lincomb.h"
#include "tests/unit/plugins_a/exact.hpp"

namespace perrin::testing {
namespace {

const perrin_host_lincomb& host_lincomb() {
  const perrin_text id = PERRIN_TEXT(PERRIN_HOST_LINCOMB);
  return *static_cast<const perrin_host_lincomb*>(services::host()->get_extension(services::host(), id));
}

perrin_status* on_denoise(void* context, perrin_tensor* x, const perrin_time* at, perrin_tensor** denoised) {
  return services::as_status([&] {
    auto& self = *static_cast<Sampling*>(context);
    self.asked.push_back(*at);
    self.latest = services::unwrap(x);
    *denoised = services::lend(services::wrap(self.D(self.latest, *at)));
  });
}

perrin_status* on_lincomb(void* context, uint32_t n, const double* a, perrin_tensor* const* x, double s, uint32_t draw,
                          perrin_tensor** y) {
  auto& self = *static_cast<Sampling*>(context);
  if (s != 0) self.deviations.push_back(s), self.draws.push_back(draw);
  const at::Tensor& first = services::unwrap(x[0]);
  if (s != 0 && self.noise) {
    const services::TensorHandle noise = services::wrap(self.noise(draw, first));
    std::vector<double> weights(a, a + n);
    std::vector<perrin_tensor*> terms(x, x + n);
    weights.push_back(s), terms.push_back(noise.get());
    return host_lincomb().lincomb(n + 1, weights.data(), terms.data(), 0, {}, nullptr, y);
  }
  std::vector<uint64_t> samples(static_cast<size_t>(first.size(0)));
  std::iota(samples.begin(), samples.end(), 0);
  return host_lincomb().lincomb(n, a, x, s, {0, PERRIN_PURPOSE_SAMPLER, draw}, samples.data(), y);
}

perrin_status* on_time_at(void* context, double log_snr, perrin_time* at) {
  return services::as_status([&] { *at = static_cast<Sampling*>(context)->time_at(log_snr); });
}

perrin_status* on_brownian(void* context, const perrin_time* from, const perrin_time* to, perrin_tensor** noise) {
  return services::as_status([&] {
    auto& self = *static_cast<Sampling*>(context);
    *noise = services::lend(services::wrap(self.brownian(*from, *to, self.latest)));
  });
}

// The definition in kind/sampler.h, written out.
perrin_status* on_distance(void*, perrin_tensor* x, perrin_tensor* y, perrin_tensor* previous, double absolute,
                           double relative, double* value) {
  return services::as_status([&] {
    const at::Tensor &a = services::unwrap(x), &b = services::unwrap(y), &p = services::unwrap(previous);
    const at::Tensor scale = (relative * at::maximum(a.abs(), p.abs())).clamp_min(absolute), error = (a - b) / scale;
    *value = (error * error).flatten(1).mean(1).sqrt().max().item<double>();
  });
}

perrin_status* on_variance(void* context, perrin_tensor** v) {
  return services::as_status([&] { *v = services::lend(services::wrap(static_cast<Sampling*>(context)->variance())); });
}

}  // namespace

at::Tensor Sampling::run(const services::Component& sampler, const at::Tensor& x) {
  const bool adaptive = (sampler.table<perrin_sampler>().flags & PERRIN_SAMPLER_ADAPTIVE) != 0;
  if (adaptive && x.size(0) > 1) {
    std::vector<at::Tensor> rows;
    for (int64_t i = 0; i < x.size(0); ++i) rows.push_back(run(sampler, x.narrow(0, i, 1)));
    return at::cat(rows);
  }
  const perrin_sampling table{sizeof table, static_cast<uint32_t>(times.size() - 1),
                              times.data(), this,
                              on_denoise,   on_lincomb,
                              on_time_at,   on_brownian,
                              on_distance,  on_variance};
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* result = nullptr;
  sampler.invoke<&perrin_sampler::sample>(&table, input.get(), &result);
  const services::TensorHandle owned(result);
  return services::unwrap(result);
}

at::Tensor BrownianPath::operator()(const perrin_time& from, const perrin_time& to, const at::Tensor& like) {
  const double a = std::pow(from.alpha / from.sigma, 2), b = std::pow(to.alpha / to.sigma, 2);
  return (at(b, like) - at(a, like)) / std::sqrt(std::abs(b - a));
}

const at::Tensor& BrownianPath::at(double snr, const at::Tensor& like) {
  if (known_.empty()) known_.emplace(0, at::zeros_like(like));
  const auto above = known_.lower_bound(snr);
  if (above != known_.end() && above->first == snr) return above->second;
  const auto below = std::prev(above);
  const at::Tensor z = start(like.size(0), like.size(1), seed_ * 1000000 + ++drawn_);
  const double past = snr - below->first;
  if (above == known_.end()) return known_.emplace(snr, below->second + std::sqrt(past) * z).first->second;
  const double left = above->first - snr, whole = past + left;
  const at::Tensor mean = (left * below->second + past * above->second) / whole;
  return known_.emplace(snr, mean + std::sqrt(past * left / whole) * z).first->second;
}

std::function<perrin_time(double)> interpolated(const services::Component& schedule) {
  return [all = levels(schedule)](double log_snr) {
    const auto of = [&](size_t i) { return 2 * std::log(all[i].alpha / all[i].sigma); };
    size_t i = 0;
    while (i + 1 < all.size() && of(i + 1) > log_snr) ++i;
    if (i + 1 == all.size() || log_snr >= of(0)) return all[log_snr >= of(0) ? 0 : i];
    const double share = (of(i) - log_snr) / (of(i) - of(i + 1)), odds = std::exp(log_snr);
    return level_of(all[i].t + share, odds / (1 + odds));
  };
}

perrin_time level_of(double t, double abar) { return {t, std::sqrt(abar), std::sqrt(1 - abar)}; }

}  // namespace perrin::testing
