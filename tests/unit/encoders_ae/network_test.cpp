// The network of `autoencoder` and `autoencoder-kl`: size, gradient, samples apart, random parts, bf16, refusals.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/model/autocast.hpp"
#include "tests/unit/encoders_ae/held.hpp"
#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

using Integers = std::vector<int64_t>;

// The first stage of Stable Diffusion 1 (2112.10752, f8; 83.65 million), on images [3, 256, 256]:
//   [encoder]
//   use = "autoencoder-kl"
//   channels = [128, 256, 512, 512]
// 83,653,863: diffusers 0.42.1, AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2) of
// DownEncoderBlock2D and UpDecoderBlock2D, latent_channels=4.
TEST(FirstStageSize, of_stable_diffusion_is_the_published_one) {
  const Values published = {{"channels", Integers{128, 256, 512, 512}}};
  EXPECT_EQ(encoder_parameter_count("autoencoder-kl", published, {3, 256, 256}), 83'653'863);
}

TEST(FirstStageSize, of_each_resampling_at_the_published_channels) {
  for (const char* down : {"conv", "avg", "pixel-unshuffle"})
    for (const char* up : {"nearest-conv", "conv-transpose", "pixel-shuffle"}) {
      const Values values = {
          {"channels", Integers{128, 256, 512, 512}}, {"downsample", std::string(down)}, {"upsample", std::string(up)}};
      const int64_t n = encoder_parameter_count("autoencoder-kl", values, {3, 256, 256});
      std::printf("%-16s %-15s %lld parameters\n", down, up, static_cast<long long>(n));
      // Three halvings of C = 128, 256, 512 channels by a 3 x 3 or a 1 x 1 convolution of 4 C, or by nothing; three
      // doublings of 512, 512, 256 by a 3 x 3 one, a 4 x 4 one, a 3 x 3 one to 4 C. Weights C^2 and biases C each:
      const int64_t c2 = 128 * 128 + 256 * 256 + 512 * 512, c = 896, d2 = 2 * 512 * 512 + 256 * 256, d = 1280;
      const int64_t halvings = down[0] == 'c' ? 9 * c2 + c : down[0] == 'p' ? 4 * c2 + c : 0;
      const int64_t doublings = up[0] == 'n' ? 9 * d2 + d : up[0] == 'c' ? 16 * d2 + d : 4 * (9 * d2 + d);
      EXPECT_EQ(n, 83'653'863 - (9 * c2 + c) - (9 * d2 + d) + halvings + doublings);
    }
}

// z, the outputs and the reconstruction of the draw, against random vectors: one number.
void check_gradient(const std::string& id, const Values& values, const Integers& shape) {
  at::set_num_threads(1);  // the tensors are tiny
  at::manual_seed(0);
  const Bound net = encoder(id, with(small_first_stage(), values), shape, at::kDouble);
  Integers batch = shape;
  batch.insert(batch.begin(), 2);
  const at::Tensor x = leaf(batch);
  std::vector<Input> inputs{{"x", x}};
  for (const Declared& d : net.declared) inputs.push_back({d.name, d.value});
  const auto results = [&] {
    std::vector<at::Tensor> list =
        id == "autoencoder" ? std::vector<at::Tensor>{encode(net, x)} : encode_training(net, x);
    list.push_back(decode(net, list[0]));
    return list;
  };
  std::vector<at::Tensor> projections;
  for (const at::Tensor& r : results()) projections.push_back(at::randn(r.sizes(), at::kDouble));
  const double worst = worst_directional_error(
      [&] {
        const auto list = results();
        at::Tensor sum = list[0].mul(projections[0]).sum();
        for (size_t i = 1; i < list.size(); ++i) sum = sum.add(list[i].mul(projections[i]).sum());
        return sum;
      },
      inputs);
  std::printf("%s: %zu inputs and parameters, largest relative error %.1e\n", id.c_str(), inputs.size(), worst);
}

TEST(FirstStageGradient, agrees_with_finite_differences) {
  check_gradient("autoencoder", {}, {1, 8, 8});
  check_gradient("autoencoder-kl", {{"attention", Integers{4}}}, {2, 8, 8});
  check_gradient("autoencoder-kl", {{"dropout", 0.3}, {"stochastic_depth", 0.3}, {"gradient_checkpointing", true}},
                 {1, 8, 8});
  for (const char* down :
       {"max", "avg", "adaptive-avg", "adaptive-max", "bilinear", "nearest", "area", "pixel-unshuffle"})
    check_gradient("autoencoder", {{"downsample", std::string(down)}, {"blocks", int64_t{1}}}, {1, 8, 8});
  for (const char* up : {"conv-transpose", "bilinear-conv", "pixel-shuffle"})
    check_gradient("autoencoder", {{"upsample", std::string(up)}}, {1, 8, 8});
}

// Not of max: of eight pixels in two turns some pair is so close that a difference's steps change which is the largest.
TEST(FirstStageGradient, of_clips_agrees_with_finite_differences) {
  const Values clip = {{"temporal", int64_t{1}}, {"dropout", 0.3}, {"stochastic_depth", 0.3}};
  check_gradient("autoencoder-kl", clip, {1, 4, 8, 8});
  for (const auto& [down, up] :
       {std::pair{"pixel-unshuffle", "pixel-shuffle"}, {"avg", "conv-transpose"}, {"bilinear", "bilinear-conv"}})
    check_gradient("autoencoder", with(clip, {{"downsample", std::string(down)}, {"upsample", std::string(up)}}),
                   {1, 4, 8, 8});
}

// Also in training: what is random belongs to the sample's position, not to its place in the batch.
TEST(FirstStage, gives_each_sample_its_own_result_whatever_the_batch) {
  const at::NoGradGuard no_grad;
  const Values random = {{"dropout", 0.3}, {"stochastic_depth", 0.4}};
  for (const auto& [id, shape] : std::vector<std::pair<std::string, Integers>>{
           {"autoencoder", {3, 16, 16}}, {"autoencoder-kl", {3, 16, 16}}, {"autoencoder-kl", {3, 4, 16, 16}}}) {
    const int64_t temporal = shape.size() == 4;
    const Bound net = encoder(id, with(with(small_first_stage(), random), {{"temporal", temporal}}), shape);
    Integers batch = shape;
    batch.insert(batch.begin(), 5);
    const at::Tensor x = at::randn(batch);
    for (const bool training : {false, true}) {
      const auto run = [&](int64_t first, int64_t n) {
        const When when{training, static_cast<uint64_t>(20 + first), 3};
        const at::Tensor part = x.narrow(0, first, n);
        return training ? reconstruction(net, part, when) : decode(net, encode(net, part, when), when);
      };
      const at::Tensor all = run(0, 5);
      for (int64_t b = 0; b < 5; ++b)
        EXPECT_LT(apart(run(b, 1), all.narrow(0, b, 1)), 1e-5) << id << ", training " << training;
    }
    const auto a = reconstruction(net, x, {true, 0, 3}), b = reconstruction(net, x, {true, 0, 4});
    EXPECT_GT(apart(a, b), 1e-2) << "nothing is random in training";
  }
}

// Of all blocks one alone adds something, a bias: a sample without it is that of a network without the bias, one with
// it that of a network with the bias over 1 - p. 4000 samples of seed 5: the rate is within 4 of a binomial's
// deviations.
TEST(FirstStage, leaves_residual_blocks_out_at_the_rate_asked_for) {
  const at::NoGradGuard no_grad;
  const double p = 0.25;
  const Values values = {{"channels", Integers{4}},
                         {"blocks", int64_t{1}},
                         {"groups", int64_t{2}},
                         {"mid_attention", false},
                         {"stochastic_depth", p}};
  Bound net = encoder("autoencoder", values, {1, 2, 2});
  for (const Declared& d : net.declared) {
    if (d.name.find(".conv2.") != std::string::npos) d.value.detach().zero_();
  }
  const at::Tensor bias = net.at("encoder.down_blocks.0.resnets.0.conv2.bias").value.detach(),
                   x = at::randn({4000, 1, 2, 2});
  const auto with_bias = [&](double value, bool training) {
    bias.zero_()[0].fill_(value);
    return encode(net, x, {training, 0, 5}).flatten(1);
  };
  const auto left_out = with_bias(0, false), kept = with_bias(1 / (1 - p), false), drawn = with_bias(1, true);
  const auto is = [&](const at::Tensor& what) { return drawn.sub(what).abs().amax(1).lt(1e-5); };
  EXPECT_TRUE(is(left_out).logical_xor(is(kept)).all().item<bool>());
  const double rate = is(left_out).to(at::kDouble).mean().item<double>();
  std::printf("left out: %.4f of 4000, asked for %.2f\n", rate, p);
  EXPECT_NEAR(rate, p, 4 * std::sqrt(p * (1 - p) / 4000));
}

TEST(FirstStage, with_checkpointing_has_the_same_bits) {
  const auto run = [](bool checkpointing) {
    Bound net =
        encoder("autoencoder-kl",
                with(small_first_stage(), {{"gradient_checkpointing", checkpointing}, {"dropout", 0.2}}), {3, 16, 16});
    at::manual_seed(1);
    const at::Tensor y = reconstruction(net, at::randn({3, 3, 16, 16}));
    y.square().mean().backward();
    return std::pair{y.detach(), net.gradients.clone()};
  };
  const auto [plain, gradient] = run(false);
  const auto [checkpointed, same] = run(true);
  EXPECT_TRUE(plain.equal(checkpointed));
  EXPECT_TRUE(gradient.equal(same));
  EXPECT_GT(gradient.norm().item<double>(), 0);
}

// 8 bits of mantissa, and layers that average their errors: a few in a hundred.
TEST(FirstStage, stays_near_itself_in_bfloat16) {
  for (const char* id : {"autoencoder", "autoencoder-kl"}) {
    Bound net = encoder(id, small_first_stage(), {3, 16, 16});
    at::manual_seed(1);
    const at::Tensor x = at::randn({4, 3, 16, 16});
    const auto run = [&] {
      net.gradients.zero_();
      const at::Tensor y = reconstruction(net, x).to(at::kFloat);
      y.square().mean().backward();
      return std::pair{y.detach(), net.gradients.clone()};
    };
    const auto relative = [](const at::Tensor& a, const at::Tensor& b) {
      return a.sub(b).norm().div(b.norm()).item<double>();
    };
    const auto [full, gradient] = run();
    const model::Autocast autocast(at::kCPU, true);
    const auto [half, rough] = run();
    std::printf("%s: bf16 output %.1e, gradient %.1e from fp32\n", id, relative(half, full), relative(rough, gradient));
    EXPECT_LT(relative(half, full), 0.04);
    EXPECT_LT(relative(rough, gradient), 0.08);
    if (std::string(id) == "autoencoder") continue;
    for (const at::Tensor& t : encode_training(net, x)) EXPECT_EQ(t.scalar_type(), at::kFloat);
  }
}

TEST(FirstStage, refuses_what_does_not_fit) {
  const auto refused = [](const Values& values, const Integers& x, std::initializer_list<const char*> parts) {
    const std::string said = message_of([&] { encoder("autoencoder-kl", with(small_first_stage(), values), x); });
    std::printf("%s\n", said.c_str());
    for (const char* part : parts) EXPECT_NE(said.find(part), std::string::npos) << part << " is not in: " << said;
  };
  refused({}, {7}, {"images [C, H, W]", "[7]"});
  refused({}, {1, 8, 9}, {"9 is no multiple of 2", "fewer halvings"});
  refused({{"temporal", int64_t{1}}}, {1, 3, 8, 8}, {"3 is no multiple of 2"});
  refused({{"temporal", int64_t{1}}}, {1, 8, 8}, {"temporal = 1", "clips"});
  refused({{"temporal", int64_t{2}}}, {1, 4, 8, 8}, {"temporal = 2", "halve 1 time"});
  refused({{"attention", Integers{3}}}, {1, 8, 8}, {"height 3", "8, 4"});
  refused({{"groups", int64_t{3}}}, {1, 8, 8}, {"groups = 3", "channels = 8"});
  refused({{"channels", Integers{}}}, {1, 8, 8}, {"channels is empty"});
  refused({{"tile", int64_t{12}}}, {1, 8, 8}, {"tile = 12", "give 16"});
  refused({{"weights", std::string("/no/such.safetensors")}}, {1, 8, 8}, {"no/such.safetensors"});
}

}  // namespace
}  // namespace perrin::testing
