#include "tests/golden/plugins/harness.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sum.h>

namespace perrin::testing {
namespace {

at::Tensor shaped(const at::Tensor& numbers) { return (numbers.reshape({3, 8, 8, 4}) / 768.0).permute({3, 0, 1, 2}); }
at::Tensor count() { return at::arange(768, at::TensorOptions(at::kFloat)); }

}  // namespace

at::Tensor dummy_sample() { return shaped(count()); }
at::Tensor dummy_noise() { return shaped(count().flip(-1)); }
at::Tensor dummy_model(const at::Tensor& x, double t) { return x * t / (t + 1); }

at::Tensor dummy_denoised(const services::Component& parameterization, const at::Tensor& x, const perrin_time& at,
                          bool clip) {
  perrin_coefficients c{};
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{1}, &at, &c);
  const at::Tensor D = c.c_skip * x + c.c_out * dummy_model(c.c_in * x, c.c_noise);
  return clip ? D.clamp(-1, 1) : D;
}

PeerNoise::PeerNoise() : generator_(at::detail::createCPUGenerator(0)) {}
at::Tensor PeerNoise::operator()(uint32_t, const at::Tensor& like) {
  return at::randn(like.sizes(), generator_, like.options());
}

double sum_abs(const at::Tensor& x) { return x.abs().sum().item<double>(); }

}  // namespace perrin::testing
