// Gradients that a plugin asks for, and gradients that it gives.
#include "perrin/host/autograd.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

const perrin_host_autograd& api() { return service<perrin_host_autograd>(PERRIN_HOST_AUTOGRAD); }

at::Tensor noise(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed), at::kDouble);
}

// y = a^2 b and z = sum a as a plugin would: values by its own loop, gradients by hand. Saved inputs live in the
// context.
struct Square {
  at::Tensor a, b;
  int* freed;
  std::string fails = {};

  static perrin_status* backward(void* context, uint32_t n_outputs, perrin_tensor* const* gradients, uint32_t n_inputs,
                                 perrin_tensor** out) {
    auto& self = *static_cast<Square*>(context);
    EXPECT_EQ(n_outputs, 2u);
    EXPECT_EQ(n_inputs, 2u);
    if (!self.fails.empty()) return services::host()->status_new(PERRIN_ERROR, services::text(self.fails), ""_t);
    at::Tensor ga, gb;
    if (gradients[0] != nullptr) {
      const at::Tensor& g = services::unwrap(gradients[0]);
      ga = g * 2 * self.a * self.b;
      gb = g * self.a * self.a;
    }
    if (gradients[1] != nullptr) {
      const at::Tensor g = services::unwrap(gradients[1]).expand_as(self.a);
      ga = ga.defined() ? ga + g : g;
    }
    out[0] = services::lend(services::wrap(ga));
    out[1] = services::lend(services::wrap(gb));
    return nullptr;
  }
  static void release(void* context) {
    auto* self = static_cast<Square*>(context);
    ++*self->freed;
    delete self;
  }

  static std::pair<at::Tensor, at::Tensor> apply(const at::Tensor& a, const at::Tensor& b, int& freed,
                                                 std::string fails = {}) {
    const auto ha = services::wrap(a), hb = services::wrap(b);
    const auto y = services::wrap((a * a * b).detach()), z = services::wrap(a.sum().detach());
    const perrin_backward table = {sizeof(perrin_backward), 0, new Square{a.detach(), b.detach(), &freed, fails},
                                   backward, release};
    perrin_tensor* const inputs[] = {ha.get(), hb.get()};
    perrin_tensor* const values[] = {y.get(), z.get()};
    perrin_tensor* outputs[2] = {};
    EXPECT_EQ(outcome(api().custom_grad(2, inputs, 2, values, &table, outputs)), "");
    services::TensorHandle first(outputs[0]), second(outputs[1]);
    EXPECT_EQ(services::unwrap(outputs[0]).data_ptr(), services::unwrap(y.get()).data_ptr()) << "memory is shared";
    return {services::unwrap(outputs[0]), services::unwrap(outputs[1])};
  }
};

// f(a, b) = sum sin(y) + 3 z through the plugin's operation.
at::Tensor objective(const at::Tensor& a, const at::Tensor& b, int& freed) {
  auto [y, z] = Square::apply(a, b, freed);
  return y.sin().sum() + 3 * z;
}

TEST(CustomGrad, agrees_with_finite_differences_in_float64) {
  Balance balance;
  int freed = 0;
  at::Tensor a = noise({4, 3}, 1).set_requires_grad(true), b = noise({4, 3}, 2).set_requires_grad(true);
  auto gradients = torch::autograd::grad({objective(a, b, freed)}, {a, b});
  const double h = 1e-6;
  double worst = 0;
  for (int which : {0, 1})
    for (int64_t i = 0; i < a.numel(); ++i) {
      auto shifted = [&](double by) {
        at::Tensor x = (which == 0 ? a : b).detach().clone();
        x.view(-1)[i] += by;
        return objective(which == 0 ? x : a.detach(), which == 1 ? x : b.detach(), freed).item<double>();
      };
      const double numeric = (shifted(h) - shifted(-h)) / (2 * h);
      worst = std::max(worst, std::abs(numeric - gradients[which].view(-1)[i].item<double>()));
    }
  std::printf("largest difference to central differences: %.2e\n", worst);
  EXPECT_LT(worst, 1e-8);
}

TEST(CustomGrad, mixes_with_libtorchs_own_graph_on_both_sides) {
  int freed = 0;
  const at::Tensor a = noise({5}, 1).set_requires_grad(true), b = noise({5}, 2).set_requires_grad(true);
  auto chained = torch::autograd::grad({objective(a.exp(), b.tanh(), freed)}, {a, b});
  const at::Tensor ea = a.exp(), tb = b.tanh();
  auto direct = torch::autograd::grad({(ea * ea * tb).sin().sum() + 3 * ea.sum()}, {a, b});
  EXPECT_TRUE(chained[0].allclose(direct[0], 1e-13, 1e-13));
  EXPECT_TRUE(chained[1].allclose(direct[1], 1e-13, 1e-13));
}

TEST(CustomGrad, an_unused_output_arrives_as_null) {
  int freed = 0;
  const at::Tensor a = noise({5}, 1).set_requires_grad(true), b = noise({5}, 2).set_requires_grad(true);
  auto [y, z] = Square::apply(a, b, freed);
  auto gradient = torch::autograd::grad({z}, {a, b}, {}, std::nullopt, false, true);
  EXPECT_TRUE(gradient[0].equal(at::ones_like(a)));
  EXPECT_FALSE(gradient[1].defined());
}

TEST(CustomGrad, frees_its_context_exactly_once_in_every_case) {
  Balance balance;
  int freed = 0;
  const at::Tensor a = noise({3}, 1), b = noise({3}, 2);
  Square::apply(a, b, freed);
  EXPECT_EQ(freed, 1) << "nothing needs a gradient";
  {
    auto kept = Square::apply(a.clone().set_requires_grad(true), b, freed);
    EXPECT_TRUE(kept.first.requires_grad());
    EXPECT_EQ(freed, 1) << "freed under a living graph";
  }
  EXPECT_EQ(freed, 2) << "the graph is gone";
  const perrin_backward no_backward = {sizeof(perrin_backward), 0, new Square{a, b, &freed}, nullptr, Square::release};
  EXPECT_EQ(outcome(api().custom_grad(0, nullptr, 0, nullptr, &no_backward, nullptr)),
            "6: custom_grad needs both backward and free");
  EXPECT_EQ(freed, 3) << "custom_grad failed";
  const perrin_backward small = {8, 0, nullptr, nullptr, nullptr};
  EXPECT_EQ(outcome(api().custom_grad(0, nullptr, 0, nullptr, &small, nullptr)),
            "6: custom_grad needs a perrin_backward with its struct_size");
}

TEST(CustomGrad, a_failing_backward_is_an_error_that_names_the_plugin) {
  int freed = 0;
  const at::Tensor a = noise({3}, 1).set_requires_grad(true);
  at::Tensor y;
  {
    loader::Inside mark("/p/x.so", "thing", "forward");
    y = Square::apply(a, a, freed, "no memory left").first;
  }
  try {
    torch::autograd::grad({y.sum()}, {a});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where, "\"thing\" (x.so), in backward");
    EXPECT_EQ(std::string(error.what()), "no memory left");
  }
}

TEST(Grad, of_scalars_of_weighted_outputs_and_where_nothing_depends) {
  Balance balance;
  const at::Tensor a = noise({4}, 1).set_requires_grad(true), b = noise({4}, 2).set_requires_grad(true);
  const auto ha = services::wrap(a), hb = services::wrap(b), sum = services::wrap((a * a).sum()),
             y = services::wrap(a.sin());
  perrin_tensor* const inputs[] = {ha.get(), hb.get()};
  perrin_tensor* const scalar[] = {sum.get()};
  perrin_tensor* gradients[2] = {};
  EXPECT_EQ(outcome(api().grad(1, scalar, nullptr, 2, inputs, 0, gradients)), "");
  services::TensorHandle first(gradients[0]);
  EXPECT_TRUE(services::unwrap(first.get()).equal(2 * a));
  EXPECT_EQ(gradients[1], nullptr);
  const auto weight = services::wrap(noise({4}, 3));
  perrin_tensor* const outputs[] = {y.get()};
  perrin_tensor* const weights[] = {weight.get()};
  EXPECT_EQ(outcome(api().grad(1, outputs, weights, 1, inputs, 0, gradients)), "");
  services::TensorHandle second(gradients[0]);
  EXPECT_TRUE(services::unwrap(second.get()).equal(services::unwrap(weight.get()) * a.cos()));
  perrin_tensor* untouched = hb.get();
  EXPECT_NE(outcome(api().grad(1, outputs, nullptr, 1, inputs, 0, &untouched)), "") << "not a scalar";
  EXPECT_EQ(untouched, hb.get());
}

TEST(Grad, can_be_differentiated_again) {
  const at::Tensor a = noise({4}, 1).set_requires_grad(true);
  const auto ha = services::wrap(a), y = services::wrap((a * a * a).sum());
  perrin_tensor* const inputs[] = {ha.get()};
  perrin_tensor* const outputs[] = {y.get()};
  perrin_tensor* gradient = nullptr;
  EXPECT_EQ(outcome(api().grad(1, outputs, nullptr, 1, inputs, 1, &gradient)), "");
  services::TensorHandle held(gradient);
  auto second = torch::autograd::grad({services::unwrap(gradient).sum()}, {a});
  EXPECT_TRUE(second[0].allclose(6 * a));
}

}  // namespace
}  // namespace perrin::test
