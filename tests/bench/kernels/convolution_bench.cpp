// Convolution and attention, forward and backward, against at::conv2d and at::scaled_dot_product_attention.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/kernels/ops.hpp"
#include "tests/bench/kernels/measure.hpp"

namespace perrin::bench {
namespace {

template <class Signature>
auto operation(const char* name) {
  kernels::register_operators();
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

TEST(Convolution, TrainingOfUNetShapes) {
  using Maybe = std::optional<at::Tensor>;
  const auto op =
      operation<at::Tensor(const at::Tensor&, const at::Tensor&, const Maybe&, int64_t, int64_t)>("perrin::conv2d");
  const int64_t shapes[][5] = {{8, 16, 16, 32, 3},   {8, 32, 16, 32, 3},  {8, 32, 32, 16, 3},   {8, 48, 32, 16, 3},
                               {32, 32, 32, 32, 3},  {32, 64, 64, 16, 3}, {32, 128, 64, 16, 3}, {32, 128, 128, 8, 3},
                               {32, 256, 128, 8, 3}, {32, 96, 32, 32, 1}};
  for (const auto& [n, in, out, h, k] : shapes) {
    const auto last = at::MemoryFormat::ChannelsLast;
    const auto x = at::randn({n, in, h, h}).contiguous(last).requires_grad_(),
               g = at::randn({n, out, h, h}).contiguous(last);
    const auto w = at::randn({out, in, k, k}).contiguous(last).requires_grad_(), b = at::randn({out}).requires_grad_();
    const auto ours = [&] { return op.call(x, w, b, 1, k / 2); };
    const auto peer = [&] { return at::conv2d(x, w, b, 1, k / 2); };
    ASSERT_LT(((ours() - peer()).abs().max() / peer().abs().max()).item<double>(), 1e-5);
    char what[80];
    std::snprintf(what, sizeof what, "conv %ldx%ld %ldx%ldx%ld -> %ld", k, k, n, in, h, out);
    compare(
        what,
        [&] {
          torch::autograd::grad({ours()}, {x, w, b}, {g});
        },
        [&] {
          torch::autograd::grad({peer()}, {x, w, b}, {g});
        },
        6.0 * n * h * h * k * k * in * out, "GFLOP/s counted as direct");
  }
}

TEST(Attention, TrainingOfUNetShapes) {
  const auto op = operation<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<double>)>(
      "perrin::attention");
  const int64_t shapes[][4] = {{8, 4, 256, 8}, {32, 8, 256, 8}, {32, 16, 64, 8}, {8, 1, 256, 32}};
  for (auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto& [n, h, l, d] : shapes) {
      const auto heads = [&] { return at::randn({n, l, h, d}).to(type).transpose(1, 2).requires_grad_(); };
      const auto q = heads(), k = heads(), v = heads();
      const auto g = at::randn({n, l, h, d}).to(type).transpose(1, 2);
      const auto ours = [&] { return op.call(q, k, v, {}); };
      const auto peer = [&] { return at::scaled_dot_product_attention(q, k, v); };
      ASSERT_LT((ours() - peer()).abs().max().item<double>(), type == at::kFloat ? 1e-5 : 0.05);
      char what[80];
      std::snprintf(what, sizeof what, "attention %ldx%ld heads, %ld x %ld, %s", n, h, l, d,
                    type == at::kFloat ? "float32" : "bfloat16");
      compare(
          what,
          [&] {
            torch::autograd::grad({ours()}, {q, k, v}, {g});
          },
          [&] {
            torch::autograd::grad({peer()}, {q, k, v}, {g});
          },
          14.0 * n * h * l * l * d, "GFLOP/s");
    }
  }
}

}  // namespace
}  // namespace perrin::bench
