// sdk/include/perrin/cpp/checkpoint.hpp alone, and in the denoiser `unet`: the same bits, less memory.
#include "sdk/include/perrin/cpp/checkpoint.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/model/autocast.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

// Bytes that this thread allocated and has not freed, while in scope.
class Held {
 public:
  Held() : counter_(std::make_shared<Counter>()), guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}
  int64_t bytes() const { return counter_->bytes; }

 private:
  struct Counter : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override { bytes += size; }
    bool memoryProfilingEnabled() const override { return true; }
    int64_t bytes = 0;
  };
  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

at::Tensor leaf(at::IntArrayRef sizes) { return at::randn(sizes).set_requires_grad(true); }

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Checkpoint, gives_the_gradients_of_inputs_and_of_what_the_part_holds) {
  const auto weight = leaf({5, 4}), x = leaf({3, 4}), y = leaf({3, 5});
  const Part part = [weight](const std::vector<at::Tensor>& in) {
    return at::silu(at::linear(in[0], weight)).mul(in[1]);
  };
  part({x.mul(2), y}).square().sum().backward();
  const auto wx = x.grad().clone(), wy = y.grad().clone(), ww = weight.grad().clone();
  for (const auto& t : {x, y, weight}) t.grad().zero_();

  const auto out = checkpoint(part, {x.mul(2), y});
  EXPECT_TRUE(out.equal(part({x.mul(2), y})));
  out.square().sum().backward();
  EXPECT_TRUE(x.grad().equal(wx));
  EXPECT_TRUE(y.grad().equal(wy));
  EXPECT_TRUE(weight.grad().equal(ww));
}

TEST(Checkpoint, inside_another_one_and_with_an_empty_input) {
  const auto a = leaf({4, 4}), b = leaf({4, 4}), x = leaf({2, 4});
  const Part inner = [b](const std::vector<at::Tensor>& in) { return at::silu(at::linear(in[0], b)); };
  const auto outer = [&](bool on) -> Part {
    return [a, inner, on](const std::vector<at::Tensor>& in) {
      EXPECT_FALSE(in[1].defined());
      const auto h = at::silu(at::linear(in[0], a));
      return on ? checkpoint(inner, {h}) : inner({h});
    };
  };
  outer(false)({x, {}}).sum().backward();
  const auto plain = std::vector<at::Tensor>{x.grad().clone(), a.grad().clone(), b.grad().clone()};
  for (const auto& t : {x, a, b}) t.grad().zero_();
  checkpoint(outer(true), {x, {}}).sum().backward();
  EXPECT_TRUE(x.grad().equal(plain[0]));
  EXPECT_TRUE(a.grad().equal(plain[1]));
  EXPECT_TRUE(b.grad().equal(plain[2]));
}

TEST(Checkpoint, keeps_no_graph_where_none_is_wanted) {
  const auto x = leaf({2, 3});
  const Part twice = [](const std::vector<at::Tensor>& in) { return in[0].mul(2); };
  EXPECT_FALSE(checkpoint(twice, {x.detach()}).requires_grad());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(checkpoint(twice, {x}).requires_grad());
}

TEST(Checkpoint, refuses_a_captured_graph_a_second_backward_and_second_derivatives) {
  const auto x = leaf({2, 3}), captured = x.mul(3);
  const auto message =
      refusal([&] { checkpoint([captured](const std::vector<at::Tensor>& in) { return in[0].mul(captured); }, {x}); });
  EXPECT_NE(message.find("captures a tensor with a graph, made by MulBackward"), std::string::npos) << message;

  const Part square = [](const std::vector<at::Tensor>& in) { return in[0].square(); };
  const auto y = checkpoint(square, {x}).sum();
  y.backward({}, /*retain_graph=*/false);
  EXPECT_NE(refusal([&] { y.backward(); }).find("second time"), std::string::npos);
  EXPECT_NE(refusal([&] {
              torch::autograd::grad({checkpoint(square, {x}).sum()}, {x}, {}, std::nullopt, /*create_graph=*/true);
            }).find("Turn gradient checkpointing off"),
            std::string::npos);
}

TEST(Checkpoint, notices_an_input_that_was_overwritten) {
  const auto x = leaf({2, 3});
  const auto h = x.mul(2);
  const auto y = checkpoint([](const std::vector<at::Tensor>& in) { return in[0].square(); }, {h}).sum();
  h.detach().add_(1);
  EXPECT_NE(refusal([&] { y.backward(); }).find("modified by an inplace operation"), std::string::npos);
}

// Every kind of block, three conditions, dropout.
UNet everything() {
  UNet unet;
  unet.channels = {16, 32, 32}, unet.attention = {0, 1}, unet.transformer_depth = {0, 2, 1};
  unet.scale_shift_norm = true, unet.dropout = 0.2;
  return unet;
}

struct Outcome {
  at::Tensor out, parameters, x, vector, sequence;
  int64_t held;  // by the graph, in bytes
};

Outcome train(UNet unet, bool checkpointing, bool bf16, int backwards) {
  unet.gradient_checkpointing = checkpointing;
  perrin_conditioning_spec c{};
  c.slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE;
  c.vector = spec({6}), c.sequence = spec({5, 12});
  const Bound net = denoiser("unet", unet.values(), spec({2, 16, 16}), &c);
  at::manual_seed(1);
  const auto x = leaf({3, 2, 16, 16}), vector = leaf({3, 6}), sequence = leaf({3, 5, 12});
  Outcome result;
  for (int i = 0; i < backwards; ++i) {
    const Held held;
    {
      const model::Autocast autocast(at::kCPU, bf16);
      // Not leaves, as what a conditioner gives.
      const Condition condition{vector.mul(1), sequence.mul(1), {}};
      result.out = forward(net.component, x, at::arange(3, at::kFloat).mul(300), condition);
    }
    result.held = held.bytes();
    result.out.to(at::kFloat).square().mean().backward();  // outside autocast, as the host does
  }
  result.parameters = net.gradients, result.x = x.grad();
  result.vector = vector.grad(), result.sequence = sequence.grad();
  return result;
}

TEST(Checkpoint, of_the_unet_changes_no_bit_and_holds_less) {
  for (const bool bf16 : {false, true})
    for (const int backwards : {1, 2}) {
      const Outcome plain = train(everything(), false, bf16, backwards),
                    less = train(everything(), true, bf16, backwards);
      EXPECT_TRUE(less.out.equal(plain.out));
      EXPECT_TRUE(less.parameters.equal(plain.parameters));
      EXPECT_TRUE(less.x.equal(plain.x));
      EXPECT_TRUE(less.vector.equal(plain.vector));
      EXPECT_TRUE(less.sequence.equal(plain.sequence));
      EXPECT_GT(plain.parameters.abs().max().item<float>(), 0);
      std::printf("%s, %d backward: the graph holds %.2f MB, %.2f MB with checkpointing\n", bf16 ? "bf16" : "float32",
                  backwards, static_cast<double>(plain.held) / 1e6, static_cast<double>(less.held) / 1e6);
      EXPECT_LT(3 * less.held, plain.held);
    }
}

}  // namespace
}  // namespace perrin::testing
