// What every encoder of the library must hold to at its defaults: a new one is covered with no new code.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/model/autocast.hpp"
#include "tests/unit/encoders_ae/held.hpp"
#include "tests/unit/plugins_b/every.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

const std::vector<int64_t> kImage = {3, 16, 16};

class EveryEncoder : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // the tensors are small
  Bound made(at::ScalarType dtype = at::kFloat) const { return encoder(GetParam(), {}, kImage, dtype, &latent_); }
  mutable std::vector<int64_t> latent_;
};

constexpr When kEvaluation{.training = false};

TEST_P(EveryEncoder, gives_the_shapes_that_it_inferred) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const at::Tensor x = waves(2, 3, 16), z = encode(net, x, kEvaluation);
  EXPECT_EQ(z.sizes().slice(1).vec(), latent_);
  EXPECT_EQ(decode(net, z, kEvaluation).sizes(), x.sizes());
}

// Straight-through, the gradient of `vq`'s encoder is by design not that of what it computes (1711.00937, section 3.2).
TEST_P(EveryEncoder, has_the_gradient_of_finite_differences) {
  at::manual_seed(0);
  const Bound net = made(at::kDouble);
  const at::Tensor x = leaf({2, 3, 16, 16}), z = at::randn_like(encode(net, x)).detach();
  const at::Tensor of_x = at::randn_like(x), of_z = at::randn_like(z);
  const bool straight_through = GetParam() == "vq";
  const auto f = [&] {
    const at::Tensor y = decode(net, z).mul(of_x).sum();
    return straight_through ? y : y.add(encode(net, x).mul(of_z).sum());
  };
  if (!straight_through) worst_directional_error(f, {{"x", x}});
  const double error = net.declared.empty() ? 0 : directional_error(f, net);
  std::printf("%s: relative error %.1e%s\n", GetParam().c_str(), error, straight_through ? ", decoder alone" : "");
}

TEST_P(EveryEncoder, is_its_parameters_and_nothing_else) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = waves(2, 3, 16);
  expect_parameters_alone([&] { return made(); },
                          [&](const Bound& net) { return decode(net, encode(net, x, kEvaluation), kEvaluation); });
}

TEST_P(EveryEncoder, keeps_samples_apart) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const at::Tensor x = waves(4, 3, 16), all = decode(net, encode(net, x, kEvaluation), kEvaluation);
  for (int64_t b = 0; b < 4; ++b) {
    const at::Tensor one = decode(net, encode(net, x.narrow(0, b, 1), kEvaluation), kEvaluation);
    EXPECT_LT(apart(one, all.narrow(0, b, 1)), 1e-5);
  }
}

// 8 bits of mantissa, and layers that average their errors: a few in a hundred. From one z: rounding may choose another
// code.
TEST_P(EveryEncoder, decodes_near_itself_in_bfloat16) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const at::Tensor z = encode(net, waves(2, 3, 16), kEvaluation), full = decode(net, z, kEvaluation);
  const model::Autocast autocast(at::kCPU, true);
  const double error = decode(net, z, kEvaluation).to(at::kFloat).sub(full).norm().div(full.norm()).item<double>();
  std::printf("%s: bf16 %.1e from fp32\n", GetParam().c_str(), error);
  EXPECT_LT(error, 0.04);
}

INSTANTIATE_TEST_SUITE_P(Defaults, EveryEncoder, ::testing::ValuesIn(ids_of("encoder")), id_as_name);

}  // namespace
}  // namespace perrin::testing
