#include "edm2_layers.hpp"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/silu.h>

#include <numeric>

namespace edm2 {

using perrin::Init;
using perrin::Parameters;

namespace {

constexpr double eps = 1e-4;
constexpr double pi = 3.14159265358979323846;

}  // namespace

at::Tensor normalize(const at::Tensor& x, at::IntArrayRef dims) {
  const auto wide = x.to(c10::promoteTypes(x.scalar_type(), at::kFloat));
  double n = 1;
  for (int64_t d : dims) n *= static_cast<double>(x.size(d));
  const auto rms = at::linalg_vector_norm(wide, 2, dims, true).mul(1 / std::sqrt(n));
  return wide.div(rms.add(eps)).to(x.scalar_type());
}

at::Tensor unit(const at::Tensor& x) {
  const auto rms = at::linalg_vector_norm(x, 2, {-1}, true).mul(1 / std::sqrt(static_cast<double>(x.size(-1))));
  return x.div(rms.clamp_min(eps));
}

at::Tensor mp_silu(const at::Tensor& x) { return at::silu(x).div(0.596); }

at::Tensor mp_sum(const at::Tensor& a, const at::Tensor& b, double t) {
  const double scale = 1 / std::sqrt((1 - t) * (1 - t) + t * t);
  return a.mul((1 - t) * scale).add(b, t * scale);
}

at::Tensor mp_cat(const at::Tensor& a, const at::Tensor& b, double t) {
  const auto n_a = static_cast<double>(a.size(1)), n_b = static_cast<double>(b.size(1));
  const double c = std::sqrt((n_a + n_b) / ((1 - t) * (1 - t) + t * t));
  return at::cat(at::TensorList{a.mul(c * (1 - t) / std::sqrt(n_a)), b.mul(c * t / std::sqrt(n_b))}, 1);
}

Weight::Weight(Parameters& p, const std::string& name, std::vector<int64_t> sizes) {
  Parameters::Options options;
  options.no_decay = true;  // the magnitude has no effect
  options.normalise = true;
  weight_ = &p.add(name + ".weight", std::move(sizes), Init::normal(1), options);
}

at::Tensor Weight::operator()() const {
  std::vector<int64_t> dims(static_cast<size_t>(weight_->dim() - 1));
  std::iota(dims.begin(), dims.end(), 1);
  const double fan_in = static_cast<double>(weight_->numel() / weight_->size(0));
  return normalize(*weight_, dims).mul(1 / std::sqrt(fan_in));
}

MpConv::MpConv(Parameters& p, const std::string& name, int64_t in, int64_t out, int64_t size)
    : weight_(p, name, {out, in, size, size}), padding_((size - 1) / 2), operation_("perrin::conv2d") {}

at::Tensor MpConv::convolve(const at::Tensor& x, const at::Tensor& weight) const {
  return operation_(x, weight, std::nullopt, int64_t{1}, padding_);
}

const at::Tensor& gain(Parameters& p, const std::string& name) {
  Parameters::Options options;
  options.no_decay = true;
  return p.add(name, {}, Init::zeros(), options);
}

TimeFeatures::TimeFeatures(Parameters& p, const std::string& name, Kind kind, int64_t width) : width_(width) {
  if (kind == Kind::positional) return;
  Parameters::Options options;
  options.role = PERRIN_BUFFER;
  frequencies_ = &p.add(name + ".freqs", {width}, Init::normal(2 * pi), options);
  phases_ = &p.add(name + ".phases", {width}, Init::uniform(pi), options);
}

at::Tensor TimeFeatures::operator()(const at::Tensor& c_noise) const {
  const auto t = c_noise.to(at::kDouble);
  if (!frequencies_) return perrin::timestep_embedding(t, width_).mul(std::sqrt(2.0));
  const auto angle = t.unsqueeze(1).mul(frequencies_->to(at::kDouble)).add(phases_->to(at::kDouble));
  return angle.cos().mul(std::sqrt(2.0));
}

}  // namespace edm2
