// Gradients by central differences in float64, through the ABI's tables.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

struct Input {
  std::string name;
  at::Tensor value;  // a float64 leaf with a gradient
};

// Central differences of fourth order: sum_k w_k f(x + k h d) / h. A bias before a group norm of few values bends f within
// 0.01 of itself: at h = 1e-3 what the stencil leaves out came to 1e-6 of the derivative, and falls as h^4.
inline double derivative(const std::function<at::Tensor()>& f, const at::Tensor& x, const at::Tensor& direction,
                         double h = 2e-4) {
  const at::NoGradGuard no_grad;
  const std::pair<int, double> stencil[] = {{-2, 1.0 / 12}, {-1, -8.0 / 12}, {1, 8.0 / 12}, {2, -1.0 / 12}};
  const auto before = x.detach().clone();
  double sum = 0;
  for (const auto& [k, w] : stencil) {
    x.copy_(before).add_(direction, k * h);
    sum += w / h * f().item<double>();
  }
  x.copy_(before);
  return sum;
}

// f, a scalar, along a random unit vector in each input alone: the largest |analytic - numeric| relative to the larger
// of the numeric derivative and the mean one.
inline double worst_directional_error(const std::function<at::Tensor()>& f, const std::vector<Input>& inputs) {
  f().backward();
  std::vector<double> analytic, numeric;
  for (const Input& input : inputs) {
    auto direction = at::randn(input.value.sizes(), at::kDouble);
    direction.div_(direction.norm());
    analytic.push_back(input.value.grad().mul(direction).sum().item<double>());
    numeric.push_back(derivative(f, input.value, direction));
  }
  double scale = 0, worst = 0;
  for (double d : numeric) scale += std::abs(d) / static_cast<double>(numeric.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double error = std::abs(analytic[i] - numeric[i]) / std::max(std::abs(numeric[i]), scale);
    EXPECT_LT(error, 1e-6) << inputs[i].name << ": analytic " << analytic[i] << ", numeric " << numeric[i];
    worst = std::max(worst, error);
  }
  return worst;
}

inline at::Tensor leaf(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble).set_requires_grad(true); }

// One denoiser of x's shape [C, H, W] or [D]; a concat condition is 4 x 4.
struct Case {
  const char* name;
  std::string id;
  Values values;
  std::vector<int64_t> x;
  uint32_t slots;
  double deviation = 0;  // of the values, where the declared ones are zeros that hide what is behind them
};

inline void check(const Case& test) {
  at::set_num_threads(1);  // the tensors are tiny
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = test.slots;
  c.vector = spec({5});
  c.sequence = spec({3, 6});
  c.concat = spec({2, 4, 4});
  Bound net = denoiser(test.id, test.values, spec(test.x), test.slots ? &c : nullptr, at::kDouble);
  if (test.deviation > 0) net.values.normal_(0, test.deviation);
  std::vector<int64_t> batch = test.x;
  batch.insert(batch.begin(), 2);
  const auto x = leaf(batch), t = at::arange(1, 3, at::kDouble).mul(311);
  Condition condition;
  std::vector<Input> inputs{{"x", x}};
  if (test.slots & PERRIN_SLOT_VECTOR) inputs.push_back({"vector", condition.vector = leaf({2, 5})});
  if (test.slots & PERRIN_SLOT_SEQUENCE) inputs.push_back({"sequence", condition.sequence = leaf({2, 3, 6})});
  if (test.slots & PERRIN_SLOT_CONCAT) inputs.push_back({"concat", condition.concat = leaf({2, 2, 4, 4})});
  for (const Declared& d : net.declared)
    if (d.role == PERRIN_PARAMETER) inputs.push_back({d.name, d.value});
  const auto projection = at::randn(forward(net.component, x, t, condition).sizes(), at::kDouble);
  const double worst =
      worst_directional_error([&] { return forward(net.component, x, t, condition).mul(projection).sum(); }, inputs);
  std::printf("%s: %zu inputs and parameters, largest relative error %.1e\n", test.name, inputs.size(), worst);
}

}  // namespace perrin::testing
