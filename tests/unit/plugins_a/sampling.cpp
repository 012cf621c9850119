#include "tests/unit/plugins_a/sampling.hpp"

#include <cmath>
#include <numeric>

#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/lincomb.h"

namespace perrin::testing {
namespace {

const perrin_host_lincomb& host_lincomb() {
  const perrin_text id = PERRIN_TEXT(PERRIN_HOST_LINCOMB);
  return *static_cast<const perrin_host_lincomb*>(services::host()->get_extension(services::host(), id));
}

perrin_status* on_denoise(void* context, perrin_tensor* x, const perrin_time* at, perrin_tensor** denoised) {
  return services::as_status(
      [&] { *denoised = services::wrap(static_cast<Sampling*>(context)->D(services::unwrap(x), *at)).release(); });
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

}  // namespace

at::Tensor Sampling::run(const services::Component& sampler, const at::Tensor& x) {
  const perrin_sampling table{
      sizeof table, static_cast<uint32_t>(times.size() - 1), times.data(), this, on_denoise, on_lincomb, on_time_at};
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* result = nullptr;
  sampler.invoke<&perrin_sampler::sample>(&table, input.get(), &result);
  const services::TensorHandle owned(result);
  return services::unwrap(result);
}

perrin_time level_of(double t, double abar) { return {t, std::sqrt(abar), std::sqrt(1 - abar)}; }

}  // namespace perrin::testing
