// perrin::attention against softmax(q k^T) v in float64.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "host/kernels/ops.hpp"

namespace perrin::kernels {
namespace {

at::Tensor fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::optional<double> scale = {}) {
  register_operators();
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("perrin::attention", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<double>)>();
  return op.call(q, k, v, scale);
}

at::Tensor exact(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return at::matmul(at::softmax(at::matmul(q, k.transpose(-1, -2)) / std::sqrt(double(q.size(3))), -1), v);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs().max() / b.abs().max()).item<double>();
}

// Heads as a U-Net makes them: one projection, split into heads, not contiguous.
at::Tensor heads(int64_t n, int64_t h, int64_t l, int64_t d) { return at::randn({n, l, h, d}).transpose(1, 2); }

TEST(AttentionOp, ValuesAndGradientsMatchFloat64) {
  for (auto type : {at::kFloat, at::kBFloat16}) {
    for (int64_t d : {8, 12, 16, 32, 64}) {
      SCOPED_TRACE(testing::Message() << type << " head " << d);
      std::vector<at::Tensor> in, wide;
      for (int64_t l : {37, 64, 64}) in.push_back(heads(3, 2, l, d).to(type).requires_grad_());
      for (const auto& t : in) wide.push_back(t.detach().to(at::kDouble).requires_grad_());
      const at::Tensor g = heads(3, 2, 37, d).to(type);
      const at::Tensor o = fused(in[0], in[1], in[2]), expected = exact(wide[0], wide[1], wide[2]);
      const auto got = torch::autograd::grad({o}, in, {g});
      const auto want = torch::autograd::grad({expected}, wide, {g.to(at::kDouble)});
      const double tolerance = type == at::kFloat ? 1e-5 : 2e-2;
      EXPECT_EQ(o.scalar_type(), type);
      EXPECT_LT(difference(o, expected.detach()), tolerance);
      for (size_t i = 0; i < 3; ++i) EXPECT_LT(difference(got[i], want[i]), tolerance) << "qkv"[i];
    }
  }
}

TEST(AttentionOp, HeadsOfTheResultMergeWithoutACopy) {
  const at::Tensor o = fused(heads(2, 4, 16, 8), heads(2, 4, 16, 8), heads(2, 4, 16, 8));
  EXPECT_EQ(o.sizes(), (at::IntArrayRef{2, 4, 16, 8}));
  EXPECT_TRUE(o.transpose(1, 2).is_contiguous());
}

TEST(AttentionOp, ANaNInAnyInputReachesTheResult) {
  for (int which = 0; which < 3; ++which) {
    std::vector<at::Tensor> in = {heads(1, 1, 20, 8), heads(1, 1, 20, 8), heads(1, 1, 20, 8)};
    in[size_t(which)][0][0][3][2] = NAN;
    EXPECT_TRUE(fused(in[0], in[1], in[2]).isnan().any().item<bool>()) << "qkv"[which];
  }
}

TEST(AttentionOp, Float64IsTwiceDifferentiableAndFloat32RefusesInWords) {
  for (auto type : {at::kDouble, at::kFloat}) {
    const at::Tensor q = heads(1, 1, 5, 8).to(type).requires_grad_();
    const auto twice = [&] {
      const auto first = torch::autograd::grad({fused(q, q, q).pow(2).sum()}, {q}, {}, true, true);
      return torch::autograd::grad({first[0].pow(2).sum()}, {q})[0];
    };
    if (type == at::kDouble) {
      EXPECT_TRUE(twice().defined());
      continue;
    }
    try {
      twice();
      FAIL() << "no error";
    } catch (const std::exception& e) {
      EXPECT_NE(std::string(e.what()).find("differentiable once"), std::string::npos) << e.what();
    }
  }
}

TEST(AttentionOp, WrongShapesAreNamed) {
  try {
    fused(heads(1, 2, 5, 8), heads(1, 1, 5, 8), heads(1, 1, 5, 8));
    FAIL() << "no error";
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("perrin::attention: q has shape"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace perrin::kernels
