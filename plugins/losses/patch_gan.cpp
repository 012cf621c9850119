#include "patch_gan.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>

namespace losses {
namespace {

constexpr int64_t kSize = 4, kPadding = 1;
constexpr double kDeviation = 0.02;  // of initial weights: 1611.07004, appendix 6.2

// W v, not as a matrix product, which autocast would round.
at::Tensor product(const at::Tensor& W, const at::Tensor& v) { return (W * v).sum(1); }

at::Tensor unit(const at::Tensor& v) { return v / v.norm().clamp_min(1e-12); }

// Singular vectors of W [out, in ...] after one power iteration from u (1802.05957, algorithm 1).
struct Singular {
  at::Tensor u, v;
};
Singular iterated(const at::Tensor& W, const at::Tensor& u) {
  const at::NoGradGuard constant;  // 1802.05957, appendix A: u and v are held in the gradient
  const at::Tensor v = unit(product(W.t(), u));
  return {unit(product(W, v)), v};
}

}  // namespace

struct PatchGan::Plan {
  perrin::Parameters& p;
  int64_t in;
  std::vector<int64_t> size;  // height and width
  int64_t number = 0;         // in the peers' nn.Sequential
  bool inner = false, last = false;
};

PatchGan::PatchGan(perrin::Parameters& p, const perrin_spec& x, int64_t channels, int64_t layers, Norm norm)
    : norm_(norm) {
  Plan plan{p, x.sizes[0], {x.sizes[1], x.sizes[2]}};
  const auto width = [channels](int64_t layer) { return channels << std::min<int64_t>(layer, 3); };
  for (int64_t layer = 0; layer < layers; ++layer, plan.inner = true) add(plan, width(layer), 2);
  add(plan, width(layers), 1);
  plan.last = true;
  add(plan, 1, 1);
  if (*std::min_element(plan.size.begin(), plan.size.end()) < 1)
    throw perrin::Failure(PERRIN_INVALID_CONFIG, "no patch of a discriminator of " + std::to_string(layers) +
                                                     " layers fits into images of " + std::to_string(x.sizes[1]) +
                                                     " x " + std::to_string(x.sizes[2]) +
                                                     ": give layers a smaller number");
}

void PatchGan::add(Plan& plan, int64_t out, int64_t stride) {
  const std::string name = "main." + std::to_string(plan.number);
  perrin::Parameters::Options undecayed, buffer;
  undecayed.no_decay = true;
  buffer.role = PERRIN_BUFFER;
  const bool normalised = norm_ == Norm::batch && plan.inner && !plan.last;
  Layer layer{&plan.p.add(name + ".weight", {out, plan.in, kSize, kSize}, perrin::Init::normal(kDeviation))};
  layer.stride = stride;
  const double bound = 1 / std::sqrt(static_cast<double>(plan.in * kSize * kSize));
  if (!normalised) layer.bias = &plan.p.add(name + ".bias", {out}, perrin::Init::uniform(bound), undecayed);
  if (norm_ == Norm::spectral) layer.u = &plan.p.add(name + ".u", {out}, perrin::Init::normal(1), buffer);
  if (normalised) {
    const std::string scale = "main." + std::to_string(++plan.number) + ".weight";
    layer.scale = &plan.p.add(scale, {out}, perrin::Init::ones(), undecayed);
    plan.p.give([&](const std::string& of, at::IntArrayRef sizes) {
      return of == scale ? at::randn(sizes).mul(kDeviation).add(1) : at::Tensor();
    });
    layer.shift = &plan.p.add("main." + std::to_string(plan.number) + ".bias", {out}, perrin::Init::zeros(), undecayed);
  }
  plan.number += 2;
  plan.in = out;
  for (int64_t& n : plan.size) n = n + 2 * kPadding < kSize ? 0 : (n + 2 * kPadding - kSize) / stride + 1;
  layers_.push_back(layer);
}

at::Tensor PatchGan::operator()(at::Tensor x) const {
  for (const Layer& layer : layers_) {
    at::Tensor weight = *layer.weight;
    if (layer.u) {
      const at::Tensor W = weight.flatten(1);
      const auto [u, v] = iterated(W.detach(), *layer.u);
      weight = weight / (u * product(W, v)).sum();  // 1802.05957 Eq. 8
    }
    // Not by the host's perrin::conv2d, which is differentiable once: penalties differentiate the gradient.
    x = at::conv2d(x, weight, layer.bias ? *layer.bias : at::Tensor(), layer.stride, kPadding);
    if (layer.scale) x = at::batch_norm(x, *layer.scale, *layer.shift, {}, {}, true, 0, 1e-5, false);
    if (&layer != &layers_.back()) x = at::leaky_relu(x, 0.2);
  }
  return x;  // [B, 1, h, w]
}

void PatchGan::iterate() const {
  for (const Layer& layer : layers_)
    if (layer.u) layer.u->copy_(iterated(layer.weight->detach().flatten(1), *layer.u).u);
}

}  // namespace losses
