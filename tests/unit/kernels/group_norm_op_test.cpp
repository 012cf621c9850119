// perrin::group_norm_silu against ATen's group_norm and silu.
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/kernels/ops.hpp"

namespace perrin::kernels {
namespace {

using Optional = std::optional<at::Tensor>;

at::Tensor fused(const at::Tensor& x, int64_t groups, const Optional& w = {}, const Optional& b = {},
                 const Optional& scale = {}, const Optional& shift = {}, double eps = 1e-5, bool silu = true) {
  register_operators();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("perrin::group_norm_silu", "")
                             .typed<at::Tensor(const at::Tensor&, int64_t, const Optional&, const Optional&,
                                               const Optional&, const Optional&, double, bool)>();
  return op.call(x, groups, w, b, scale, shift, eps, silu);
}

at::Tensor plain(const at::Tensor& x, int64_t groups, const Optional& w, const Optional& b, const at::Tensor& scale,
                 const at::Tensor& shift, bool silu) {
  const at::Tensor u = at::group_norm(x, groups, w, b, 1e-5);
  const at::Tensor h = u * (1 + scale.unsqueeze(-1).unsqueeze(-1)) + shift.unsqueeze(-1).unsqueeze(-1);
  return silu ? at::silu(h) : h;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

struct Inputs {
  at::Tensor x, w, b, scale, shift;
  std::vector<at::Tensor> all() const { return {x, w, b, scale, shift}; }
};

Inputs inputs(at::ScalarType type, at::MemoryFormat format, int64_t c = 32) {
  const auto leaf = [](const at::Tensor& t) { return t.detach().requires_grad_(); };
  return {leaf(at::randn({3, c, 8, 8}).to(type).contiguous(format)), leaf(at::randn({c})), leaf(at::randn({c})),
          leaf(at::randn({3, c})), leaf(at::randn({3, c}))};
}

TEST(GroupNormSiluOp, ValuesAndAllFiveGradientsMatchATenInBothMemoryOrders) {
  for (auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    for (bool silu : {true, false}) {
      const Inputs in = inputs(at::kFloat, format);
      const at::Tensor y = fused(in.x, 8, in.w, in.b, in.scale, in.shift, 1e-5, silu);
      const at::Tensor expected = plain(in.x, 8, in.w, in.b, in.scale, in.shift, silu);
      EXPECT_TRUE(y.is_contiguous(format));
      EXPECT_LT(difference(y, expected), 2e-5);
      const at::Tensor g = at::randn_like(y);
      const auto got = torch::autograd::grad({y}, in.all(), {g}),
                 want = torch::autograd::grad({expected}, in.all(), {g});
      const char* names[] = {"x", "weight", "bias", "scale", "shift"};
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].sizes(), want[i].sizes()) << names[i];
        EXPECT_LT(difference(got[i], want[i]) / (1 + want[i].abs().max().item<double>()), 2e-5) << names[i];
      }
    }
  }
}

TEST(GroupNormSiluOp, Float64IsAcceptedAndTwiceDifferentiable) {
  const at::Tensor x = at::randn({2, 8, 3, 3}, at::kDouble).requires_grad_();
  const at::Tensor y = fused(x, 4);
  const auto first = torch::autograd::grad({y.pow(2).sum()}, {x}, {}, true, true);
  const auto second = torch::autograd::grad({first[0].pow(2).sum()}, {x});
  EXPECT_TRUE(second[0].defined());
  const double h = 1e-6;
  at::Tensor moved = x.detach().clone();
  moved[1][3][2][0] += h;
  const double slope = ((fused(moved, 4).pow(2).sum() - y.pow(2).sum()) / h).item<double>();
  EXPECT_NEAR(slope, first[0][1][3][2][0].item<double>(), 1e-4);
}

TEST(GroupNormSiluOp, ASecondDerivativeOfTheFusedKernelIsRefusedInWords) {
  const at::Tensor x = at::randn({2, 8, 3, 3}).requires_grad_();
  const at::Tensor y = fused(x, 4);
  try {
    torch::autograd::grad({y.sum()}, {x}, {}, true, true);
    FAIL() << "no error";
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("differentiable once"), std::string::npos) << e.what();
  }
}

TEST(GroupNormSiluOp, Bfloat16StaysBfloat16UnderAutocastWithFloat32Parameters) {
  Inputs in = inputs(at::kBFloat16, at::MemoryFormat::ChannelsLast);
  const at::Tensor expected = plain(in.x.to(at::kDouble), 8, in.w.to(at::kDouble), in.b.to(at::kDouble),
                                    in.scale.to(at::kDouble), in.shift.to(at::kDouble), true);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const at::Tensor y = fused(in.x, 8, in.w, in.b, in.scale, in.shift);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_LT(difference(y, expected) / (1 + expected.abs().max().item<double>()), 1.0 / 256);
  const auto grads = torch::autograd::grad({y}, in.all(), {at::randn_like(y)});
  EXPECT_EQ(grads[0].scalar_type(), at::kBFloat16);
  EXPECT_EQ(grads[1].scalar_type(), at::kFloat);
}

TEST(GroupNormSiluOp, OtherShapesAndStridesWork) {
  for (const at::Tensor& x : {at::randn({3, 6}), at::randn({3, 6, 5}), at::randn({3, 6, 2, 3, 4}),
                              at::randn({3, 6, 8, 8}).slice(2, 0, 8, 2), at::randn({0, 6, 4, 4})}) {
    const at::Tensor expected = at::silu(at::group_norm(x, 3, {}, {}, 1e-5));
    const at::Tensor y = fused(x, 3);
    EXPECT_EQ(y.sizes(), expected.sizes());
    if (x.numel() > 0) EXPECT_LT(difference(y, expected), 2e-5) << x.sizes();
  }
}

TEST(GroupNormSiluOp, WrongShapesAreNamed) {
  const at::Tensor x = at::randn({2, 6, 4, 4});
  for (const auto& call : {std::function([&] { fused(x, 4); }), std::function([&] { fused(x, 3, at::randn({5})); }),
                           std::function([&] { fused(x, 3, {}, {}, at::randn({6})); })}) {
    try {
      call();
      ADD_FAILURE() << "no error";
    } catch (const std::exception& e) {
      EXPECT_NE(std::string(e.what()).find("perrin::group_norm_silu"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace perrin::kernels
