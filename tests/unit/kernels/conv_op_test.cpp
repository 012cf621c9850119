// perrin::conv2d against at::conv2d in float64.
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/kernels/ops.hpp"

namespace perrin::kernels {
namespace {

using Optional = std::optional<at::Tensor>;

at::Tensor conv(const at::Tensor& x, const at::Tensor& w, const Optional& b, int64_t stride, int64_t padding) {
  register_operators();
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("perrin::conv2d", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const Optional&, int64_t, int64_t)>();
  return op.call(x, w, b, stride, padding);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b).abs().max() / b.pow(2).mean().sqrt()).item<double>();
}

struct Shape {
  int64_t in, out, kernel, stride;
  bool bias;
};

TEST(Conv2dOp, ValuesAndGradientsMatchFloat64OnEveryPath) {
  for (const Shape& s :
       {Shape{16, 32, 3, 1, true}, Shape{32, 16, 3, 1, false}, Shape{48, 16, 1, 1, true}, Shape{1, 16, 3, 1, true},
        Shape{16, 1, 3, 1, true}, Shape{16, 16, 3, 2, true}, Shape{20, 16, 3, 1, true}}) {
    for (auto format : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
      SCOPED_TRACE(testing::Message() << s.in << "->" << s.out << " kernel " << s.kernel << " stride " << s.stride);
      const auto leaf = [&](const at::Tensor& t) { return t.detach().requires_grad_(); };
      const auto x = leaf(at::randn({3, s.in, 8, 6}).contiguous(format));
      const auto w = leaf(at::randn({s.out, s.in, s.kernel, s.kernel}).contiguous(format));
      const Optional b = s.bias ? Optional(leaf(at::randn({s.out}))) : Optional();
      std::vector<at::Tensor> in{x, w}, wide{leaf(x.to(at::kDouble)), leaf(w.to(at::kDouble))};
      if (b) in.push_back(*b), wide.push_back(leaf(b->to(at::kDouble)));
      const at::Tensor y = conv(x, w, b, s.stride, s.kernel / 2);
      const at::Tensor expected =
          at::conv2d(wide[0], wide[1], b ? Optional(wide[2]) : Optional(), s.stride, s.kernel / 2);
      const at::Tensor g = at::randn_like(y);
      EXPECT_EQ(y.sizes(), expected.sizes());
      EXPECT_LT(difference(y, expected.detach()), 1e-5);
      const auto got = torch::autograd::grad({y}, in, {g}),
                 want = torch::autograd::grad({expected}, wide, {g.to(at::kDouble)});
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].sizes(), want[i].sizes());
        EXPECT_LT(difference(got[i], want[i]), 2e-5) << "input " << i;
      }
    }
  }
}

TEST(Conv2dOp, AFrozenWeightOrInputIsLeftOut) {
  const auto x = at::randn({2, 16, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const auto w = at::randn({16, 16, 3, 3});
  EXPECT_TRUE(torch::autograd::grad({conv(x, w, {}, 1, 1).sum()}, {x})[0].defined());
  const auto v = at::randn({16, 16, 3, 3}).requires_grad_();
  EXPECT_TRUE(torch::autograd::grad({conv(x.detach(), v, {}, 1, 1).sum()}, {v})[0].defined());
}

TEST(Conv2dOp, UnderAutocastTheResultIsBfloat16) {
  const auto x = at::randn({2, 16, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const auto wide = conv(x, at::randn({16, 16, 3, 3}), {}, 1, 1),
             product = conv(x, at::randn({16, 16, 1, 1}), {}, 1, 0);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_EQ(wide.scalar_type(), at::kBFloat16);
  EXPECT_EQ(product.scalar_type(), at::kBFloat16);
}

TEST(Conv2dOp, ASecondDerivativeIsRefusedInWords) {
  const auto x = at::randn({1, 16, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const auto y = conv(x, at::randn({16, 16, 3, 3}), {}, 1, 1);
  try {
    torch::autograd::grad({y.pow(2).sum()}, {x}, {}, true, true);
    FAIL() << "no error";
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("differentiable once"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace perrin::kernels
