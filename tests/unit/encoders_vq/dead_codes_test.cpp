// Codes that no vector chooses come back as vectors of the batch; a resumed run goes on bit for bit from the buffers.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "tests/unit/encoders_vq/stepped.hpp"

namespace perrin::testing {
namespace {

using Settings = first_stage::Quantizer::Settings;

constexpr Settings kGradient{6, false, 0.5, 0.25, 0.1}, kEma{6, true, 0.5, 0.25, 0.1};

at::Tensor codes_of(HeldQuantizer& held, const Settings& settings) {
  const auto& weight = held["embedding.weight"];
  return settings.averaged ? weight.detach().clone() : weight.detach() + held["moved"];
}

// How many rows of `some` are rows of `all`, to the rounding of a difference.
int64_t rows_among(const at::Tensor& some, const at::Tensor& all) {
  return (some.unsqueeze(1) - all).abs().amax(2).amin(1).lt(1e-12).sum().item<int64_t>();
}

TEST(DeadCodes, a_drawn_codebook_becomes_vectors_of_the_first_batch) {
  for (const Settings& settings : {kGradient, kEma}) {
    HeldQuantizer held(settings, 3, true);
    const auto z = at::randn({4, 3, 2, 2}, at::kDouble).mul(5), vectors = z.movedim(1, -1).flatten(0, 2);
    const auto weight = held["embedding.weight"].detach().clone();
    const At at(4, 1);
    const auto trained = held.quantizer->train(at.call, z);
    EXPECT_EQ(held.quantizer->replaced(), 6);
    EXPECT_EQ(held.quantizer->usage(), 1) << "no two codes are the same vector";
    EXPECT_EQ(rows_among(trained.z.movedim(1, -1).flatten(0, 2), vectors), 16);
    if (settings.averaged) continue;
    EXPECT_EQ(rows_among(codes_of(held, settings), vectors), 6);
    EXPECT_TRUE(held["embedding.weight"].equal(weight)) << "a plugin writes to no parameter";
  }
}

// Vectors around 0, one code far from all of them: its use halves until it is below 0.1 of the even share.
TEST(DeadCodes, come_back_when_their_use_has_run_down) {
  for (const Settings& settings : {kGradient, kEma}) {
    HeldQuantizer held(settings, 2);
    auto start = at::randn({6, 2}, at::kDouble);
    start[3].fill_(100);
    held["embedding.weight"].detach().copy_(start);
    std::vector<double> replaced;
    for (uint32_t step = 1; step <= 6; ++step) {
      at::manual_seed(step);
      const At at(8, step);
      // Every code but the far one is chosen as often as any other.
      const auto near = at::cat({start.narrow(0, 0, 3), start.narrow(0, 4, 2)}).repeat({8, 1});
      held["embedding.weight"].detach().copy_(start);
      held.quantizer->train(at.call, near.view({8, 5, 1, 2}).permute({0, 3, 1, 2}));
      replaced.push_back(held.quantizer->replaced());
    }
    // 1, 1/2, 1/4, 1/8, 1/16 < 0.1: found at the fifth batch.
    EXPECT_EQ(replaced, (std::vector<double>{0, 0, 0, 0, 1, 0}));
  }
}

TEST(DeadCodes, the_choice_is_a_function_of_seed_step_and_samples) {
  at::manual_seed(0);
  const auto z = at::randn({4, 3, 2, 2}, at::kDouble);
  const auto after = [&](uint32_t step, const std::vector<uint64_t>& samples, const at::Tensor& batch) {
    HeldQuantizer held(kGradient, 3, true);
    At at(4, step);
    at.samples = samples;
    at.call.samples = at.samples.data();
    held.quantizer->train(at.call, batch);
    return codes_of(held, kGradient);
  };
  const auto codes = after(1, {0, 1, 2, 3}, z);
  EXPECT_TRUE(after(1, {0, 1, 2, 3}, z).equal(codes));
  EXPECT_TRUE(after(1, {3, 2, 1, 0}, z.flip(0)).equal(codes)) << "the batch in another order";
  EXPECT_FALSE(after(2, {0, 1, 2, 3}, z).equal(codes));
  EXPECT_FALSE(after(1, {4, 5, 6, 7}, z).equal(codes));
}

// Eight clusters far from a drawn codebook, 200 batches. Returns the last one's perplexity.
double perplexity_after_training(bool averaged, double restart, double* usage) {
  HeldQuantizer held({8, averaged, 0.9, 0.25, restart}, 2, true);
  at::manual_seed(5);
  const auto centres = at::randn({8, 2}, at::kDouble).mul(10);
  auto& weight = held["embedding.weight"];
  for (uint32_t step = 1; step <= 200; ++step) {
    const At at(16, step, 16 * step);
    const auto z = centres.repeat({16, 1}).view({16, 8, 1, 2}).permute({0, 3, 1, 2});
    const auto trained = held.quantizer->train(at.call, z + at::randn(z.sizes(), at::kDouble) * 0.1);
    if (averaged) continue;
    trained.codebook.mean().backward();
    weight.detach().sub_(weight.grad(), 0.5);
    weight.mutable_grad() = at::Tensor();
  }
  *usage = held.quantizer->usage();
  return held.quantizer->perplexity();
}

TEST(DeadCodes, replacing_them_spreads_the_codes_over_the_data) {
  for (const bool averaged : {false, true}) {
    double usage = 0, usage_without = 0;
    const double with = perplexity_after_training(averaged, 0.1, &usage);
    const double without = perplexity_after_training(averaged, 0, &usage_without);
    std::printf("%s: perplexity %.2f of 8 codes, without replacement %.2f\n", averaged ? "ema" : "gradient", with,
                without);
    EXPECT_EQ(usage, 1);
    EXPECT_GT(with, without);
  }
}

TEST(DeadCodes, a_resumed_run_goes_on_from_parameters_and_buffers_alone) {
  for (const Settings& settings : {kGradient, kEma}) {
    HeldQuantizer whole(settings, 3, true), resumed(settings, 3, true);
    const auto run = [&](HeldQuantizer& held, uint32_t from, uint32_t to) {
      for (uint32_t step = from; step <= to; ++step) {
        at::manual_seed(step);
        const At at(4, step, 4 * step);
        held.quantizer->train(at.call, at::randn({4, 3, 1, 1}, at::kDouble));
      }
    };
    run(whole, 1, 5);
    resumed.copy(whole);
    run(whole, 6, 12);
    run(resumed, 6, 12);
    EXPECT_TRUE(codes_of(resumed, settings).equal(codes_of(whole, settings)));
    EXPECT_TRUE(resumed["use"].equal(whole["use"]));
  }
}

}  // namespace
}  // namespace perrin::testing
