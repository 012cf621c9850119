// vector: numbers as they are, with their sines, and through a network.
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

// A score of 0.25 and a place (1, 4), which the dataset scales by 0.5 and moves by -1: 0.25, -0.5, 1.
Named one() { return {{"score", at::tensor({0.25f})}, {"place", at::tensor({1, 4}, at::kLong).view({1, 2})}}; }

TEST(VectorCondition, is_the_numbers_one_behind_the_other) {
  const Conditioner c = conditioner("vector", vector({{"layers", int64_t{0}}}));
  EXPECT_EQ(c.spec.slots, PERRIN_SLOT_VECTOR);
  const auto z = encode(c.bound.component, one());
  expect_shapes(z, c.spec, 1);
  EXPECT_TRUE(z.vector.equal(at::tensor({0.25f, -0.5f, 1.0f}).view({1, 3})));
}

// 2003.08934, equation 4.
TEST(VectorCondition, has_sines_of_doubling_frequencies_beside_them) {
  const Conditioner c = conditioner("vector", vector({{"layers", int64_t{0}}, {"frequencies", int64_t{2}}}));
  const auto z = encode(c.bound.component, one());
  expect_shapes(z, c.spec, 1);
  ASSERT_EQ(z.vector.size(1), 3 * 5);
  const double x[] = {0.25, -0.5, 1};
  for (int64_t k = 0; k < 2; ++k)
    for (int64_t i = 0; i < 3; ++i) {
      const double angle = std::numbers::pi * std::exp2(k) * x[i];
      EXPECT_NEAR(z.vector[0][3 + 6 * k + i].item<double>(), std::sin(angle), 1e-6);
      EXPECT_NEAR(z.vector[0][6 + 6 * k + i].item<double>(), std::cos(angle), 1e-6);
    }
}

TEST(VectorCondition, hides_a_sample_alone) {
  const Named fields = {{"score", at::randn({3})}, {"place", at::zeros({3, 2}, at::kLong)}};
  for (const char* null : {"learnt", "zeros"})
    for (const int64_t layers : {0, 2}) {
      Conditioner c = conditioner("vector", vector({{"null", std::string(null)}, {"layers", layers}}));
      const auto z = encode(c.bound.component, fields).vector;
      const auto hidden = encode(c.bound.component, fields, {.drop = {0, 1, 0}}).vector;
      const auto instead = null == std::string("learnt") ? c.bound.at("null").value : at::zeros({z.size(1)});
      EXPECT_TRUE(hidden[0].equal(z[0]) && hidden[2].equal(z[2]));
      EXPECT_TRUE(hidden[1].equal(instead));
      EXPECT_TRUE(encode(c.bound.component, {}, {.drop = {1, 1}}).vector[1].equal(instead));
    }
}

TEST(VectorCondition, gradients_agree_with_finite_differences) {
  at::set_num_threads(1);
  at::manual_seed(0);
  const Values values = vector({{"layers", int64_t{3}}, {"frequencies", int64_t{2}}});
  Conditioner c = conditioner("vector", values, at::kDouble);
  const Named fields = {{"score", at::randn({3}, at::kDouble)}, {"place", at::zeros({3, 2}, at::kLong)}};
  std::vector<Input> inputs;
  for (const Declared& d : c.bound.declared) inputs.push_back({d.name, d.value});
  const auto projection = at::randn({3, 8}, at::kDouble);
  const double worst = worst_directional_error(
      [&] {
        return encode(c.bound.component, fields, {.drop = {0, 0, 1}}).vector.mul(projection).sum();
      },
      inputs);
  std::printf("vector: %zu parameters, largest relative error %.1e\n", inputs.size(), worst);
}

TEST(VectorCondition, says_what_does_not_fit) {
  const auto said = [](const std::vector<std::string>& fields) {
    return refused([&] { conditioner("vector", vector({{"fields", fields}})); });
  };
  EXPECT_NE(said({"scroe"}).find("the dataset has no field \"scroe\"; it has: image, caption, score, place"),
            std::string::npos);
  EXPECT_NE(said({}).find("fields is empty"), std::string::npos);
  const Conditioner c = conditioner("vector", vector());
  EXPECT_NE(refused([&] {
              encode(c.bound.component, {{"score", at::zeros({2})}, {"place", at::zeros({2, 3}, at::kLong)}});
            }).find("\"place\" is [2, 3]; it must have 2 samples of 2 numbers"),
            std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
