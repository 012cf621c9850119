// The memory-bound kernels against ATen.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/kernels/adamw.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/ops.hpp"
#include "tests/bench/kernels/measure.hpp"

namespace perrin::bench {
namespace {

using namespace kernels;

std::span<float> span(const at::Tensor& t) { return {t.mutable_data_ptr<float>(), static_cast<size_t>(t.numel())}; }

TEST(Noise, NormalsAgainstTheATenGenerator) {
  const at::Tensor x = at::empty({64, 3, 32, 32});
  std::vector<uint64_t> samples(64);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = i;
  const Noise noise{{1, 2, 3}, samples.data(), x.numel() / 64, 1.0};
  compare(
      "normals, 64x3x32x32", [&] { lincomb({}, &noise, span(x), torch_threads()); }, [&] { x.normal_(); },
      double(x.numel()), "G/s");
}

TEST(SamplerUpdate, TwoTermsAndNoise) {
  const at::Tensor x = at::randn({64, 3, 32, 32}), d = at::randn({64, 3, 32, 32}), y = at::empty({64, 3, 32, 32});
  std::vector<uint64_t> samples(64);
  const Noise noise{{1, 2, 3}, samples.data(), x.numel() / 64, 0.1};
  const Term<float> terms[] = {{0.9f, x.const_data_ptr<float>()}, {0.2f, d.const_data_ptr<float>()}};
  compare(
      "0.9 x + 0.2 d + 0.1 noise, 64x3x32x32", [&] { lincomb(terms, &noise, span(y), torch_threads()); },
      [&] {
        x * 0.9 + d * 0.2 + at::randn({64, 3, 32, 32}) * 0.1;
      },
      12.0 * double(x.numel()), "GB/s");
}

TEST(AdamW, WithEmaAgainstFusedAdamWAndLerp) {
  const int64_t n = 4'000'000;
  std::vector<at::Tensor> a, b;
  for (int i = 0; i < 5; ++i) a.push_back(at::rand({n})), b.push_back(a.back().clone());
  AdamW options{.lr = 1e-3, .weight_decay = 0.01, .step = 1, .ema_decay = 0.999};
  const auto ours = [&] {
    adamw_ema(options, {span(a[0]), span(a[1]), span(a[2]), span(a[3]), span(a[4])}, torch_threads());
  };
  const at::Tensor step = at::ones_like(b[0].slice(0, 0, 1)).squeeze();
  const auto peer = [&] {
    at::_fused_adamw_({b[0]}, {b[1]}, {b[2]}, {b[3]}, {}, {step}, 1e-3, 0.9, 0.999, 0.01, 1e-8, false, false);
    b[4].lerp_(b[0], 0.001);
  };
  ours(), peer();
  for (int i : {0, 2, 3, 4}) EXPECT_LT((a[i] - b[i]).abs().max().item<double>(), 1e-6) << i;
  compare("AdamW + EMA, 4 M parameters", ours, peer, 36.0 * double(n), "GB/s");
}

TEST(GroupNormSilu, ForwardAndBackwardOfUNetShapes) {
  register_operators();
  using Maybe = std::optional<at::Tensor>;
  const auto op = c10::Dispatcher::singleton()
                      .findSchemaOrThrow("perrin::group_norm_silu", "")
                      .typed<at::Tensor(const at::Tensor&, int64_t, const Maybe&, const Maybe&, const Maybe&,
                                        const Maybe&, double, bool)>();
  const int64_t shapes[][3] = {{8, 16, 32}, {8, 32, 16}, {32, 32, 32}, {32, 64, 16}, {32, 128, 8}};
  for (const auto& [n, c, h] : shapes) {
    for (auto format : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
      const auto x = at::randn({n, c, h, h}).contiguous(format).requires_grad_(),
                 g = at::randn({n, c, h, h}).contiguous(format);
      const auto w = at::randn({c}).requires_grad_(), b = at::randn({c}).requires_grad_();
      const auto ours = [&] { return op.call(x, 8, w, b, {}, {}, 1e-5, true); };
      const auto peer = [&] { return at::silu(at::group_norm(x, 8, w, b, 1e-5)); };
      ASSERT_LT((ours() - peer()).abs().max().item<double>(), 5e-5);
      char what[80];
      std::snprintf(what, sizeof what, "GroupNorm+SiLU %ldx%ldx%ldx%ld %s", n, c, h, h,
                    format == at::MemoryFormat::Contiguous ? "contiguous" : "channels-last");
      compare(
          what,
          [&] {
            torch::autograd::grad({ours()}, {x, w, b}, {g});
          },
          [&] {
            torch::autograd::grad({peer()}, {x, w, b}, {g});
          },
          double(x.numel()) * 20, "GB/s");
    }
  }
}

}  // namespace
}  // namespace perrin::bench
