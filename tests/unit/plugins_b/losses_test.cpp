// vlb, cross-entropy and unet-classifier by themselves: analytic values, and gradients by finite differences.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

at::Tensor values_of(const services::Component& loss, const Tensors& inputs) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const auto& [name, tensor] : inputs)
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(inputs[0].second.size(0));
  perrin_tensor* out = nullptr;
  loss.invoke<&perrin_loss::compute>(&call, static_cast<uint32_t>(named.size()), named.data(), &out);
  return services::unwrap(services::TensorHandle(out).get());
}

at::Tensor row(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// What the host gives for two samples, the first at the first step.
Tensors step_inputs(const at::Tensor& x_0, const at::Tensor& D, const at::Tensor& v) {
  return {{"x_0", x_0},
          {"D", D},
          {"variance", v},
          {"posterior_x0", row({1, 0.1})},
          {"log_variance_small", row({-5, -4.5})},
          {"log_variance_large", row({-4, -3.9})},
          {"first_step", row({1, 0})},
          {"steps", row({1000, 1000})}};
}

TEST(Vlb, gradient_agrees_with_finite_differences_and_stops_at_the_mean) {
  for (const int64_t bins : {int64_t{256}, int64_t{0}}) {
    const auto vlb = load("loss", "vlb", {{"bins", bins}});
    const auto x_0 = at::rand({2, 3, 4, 4}, at::kDouble).mul(2).sub(1).mul(127.5).round().div(127.5);
    const auto D = x_0.add(at::randn(x_0.sizes(), at::kDouble), 0.05).set_requires_grad(true), v = leaf(x_0.sizes());
    const auto weights = at::randn({2}, at::kDouble);
    const auto f = [&] { return values_of(vlb, step_inputs(x_0, D, v)).mul(weights).sum(); };
    const double worst = worst_directional_error(f, {{"variance", v}});
    std::printf("vlb, %lld bins: largest relative error %.1e\n", static_cast<long long>(bins), worst);
    EXPECT_FALSE(D.grad().defined());
  }
}

// The KL of two Gaussians of one mean is (r - 1 - log r) / 2 with r the variances' ratio; at v = -1 it is 0. The
// density of a Gaussian at its own mean is (2 pi variance)^(-1/2).
TEST(Vlb, values_in_closed_form) {
  const auto vlb = load("loss", "vlb", {{"bins", int64_t{0}}});
  const auto x_0 = at::full({2, 5}, 0.25, at::kDouble);
  for (const double v : {-1.0, 0.0, 1.0}) {
    const auto values = values_of(vlb, step_inputs(x_0, x_0, at::full({2, 5}, v, at::kDouble)));
    const double f = (v + 1) / 2, log_r = -0.6 * f;  // small - log variance, in the second sample
    const double kl = (std::exp(log_r) - 1 - log_r) / 2;
    const double nll = (std::log(2 * 3.14159265358979323846) + f * -4 + (1 - f) * -5) / 2;
    EXPECT_NEAR(values[0].item<double>(), nll / std::log(2), 1e-12) << v;
    EXPECT_NEAR(values[1].item<double>(), kl / std::log(2), 1e-12) << v;
  }
}

// 8-bit images: the bins cover the line, so that their masses sum to 1 (2006.11239 Eq. 13).
TEST(Vlb, the_bins_of_the_first_step_sum_to_one) {
  const auto vlb = load("loss", "vlb", {{"bins", int64_t{256}}});
  for (const double mean : {-1.0, 0.3, 1.2}) {
    double sum = 0;
    for (int i = 0; i < 256; ++i) {
      const auto x_0 = at::full({2, 1}, i / 127.5 - 1, at::kDouble), D = at::full({2, 1}, mean, at::kDouble);
      const double bits = values_of(vlb, step_inputs(x_0, D, at::full({2, 1}, 0.0, at::kDouble)))[0].item<double>();
      if (bits < std::log2(1e12) * 0.999) sum += std::exp2(-bits);  // below, masses are held at 1e-12
    }
    EXPECT_NEAR(sum, 1, 1e-9) << mean;
  }
}

TEST(CrossEntropy, is_minus_the_log_probability) {
  const auto component = load("loss", "cross-entropy", {});
  const auto logits = leaf({3, 2});
  const auto label = at::tensor({0, 1, 1}, at::kLong), weights = at::randn({3}, at::kDouble);
  const auto f = [&] { return values_of(component, {{"logits", logits}, {"label", label}}); };
  const auto values = f();
  for (int64_t b = 0; b < 3; ++b) {  // of two classes: log(1 + exp(other - own))
    const int64_t y = label[b].item<int64_t>();
    EXPECT_NEAR(values[b].item<double>(), std::log1p(std::exp((logits[b][1 - y] - logits[b][y]).item<double>())),
                1e-12);
  }
  worst_directional_error([&] { return f().mul(weights).sum(); }, {{"logits", logits}});
}

TEST(UNetClassifier, gradient_agrees_with_finite_differences) {
  UNet net{{4, 8}, 2, 4, 1, {1}};
  Values values = net.values();
  values.erase("learnt_variance");
  values["classes"] = int64_t{3};
  check({"unet-classifier", "unet-classifier", values, {1, 4, 4}, 0, 0.3});
}

}  // namespace
}  // namespace perrin::testing
