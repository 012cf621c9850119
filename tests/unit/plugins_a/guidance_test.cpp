#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

const perrin_time at{500, 0.6, 0.8};

uint32_t branches(const services::Component& guidance) {
  uint32_t mask = 0;
  guidance.invoke<&perrin_guidance::branches>(&at, &mask);
  return mask;
}

// D of two constant branches, each given only if asked for.
at::Tensor combined(const services::Component& guidance, double conditional, double unconditional) {
  const uint32_t mask = branches(guidance);
  const auto branch = [&](uint32_t bit, double value) {
    return mask & bit ? services::wrap(at::full({2, 3}, value, at::TensorOptions(at::kFloat)))
                      : services::TensorHandle();
  };
  const auto c = branch(PERRIN_BRANCH_CONDITIONAL, conditional), u = branch(PERRIN_BRANCH_UNCONDITIONAL, unconditional);
  perrin_tensor* result = nullptr;
  guidance.invoke<&perrin_guidance::combine>(&at, c.get(), u.get(), &result);
  const services::TensorHandle owned(result);
  return services::unwrap(result);
}

void expect_values(const at::Tensor& D, double value, const char* situation) {
  EXPECT_TRUE(at::equal(D, at::full({2, 3}, value, at::TensorOptions(at::kFloat))))
      << situation << ": " << D[0][0].item<float>();
}

TEST(Guidance, NoneIsTheConditionalPrediction) {
  const auto none = builtin("guidance", "none");
  EXPECT_EQ(branches(none), PERRIN_BRANCH_CONDITIONAL);
  expect_values(combined(none, 2, 100), 2, "none");
}

// D_u + s (D_c - D_u) with D_c = 2, D_u = 0.5
TEST(Guidance, ClassifierFreeExtrapolatesAndAsksForWhatItNeeds) {
  const struct {
    double scale;
    uint32_t mask;
    double expected;
  } rows[] = {{0, PERRIN_BRANCH_UNCONDITIONAL, 0.5},
              {1, PERRIN_BRANCH_CONDITIONAL, 2},
              {0.5, PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL, 1.25},
              {3, PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL, 5}};
  for (const auto& row : rows) {
    const auto guidance = builtin("guidance", "classifier-free", {{"scale", row.scale}});
    EXPECT_EQ(branches(guidance), row.mask) << "scale " << row.scale;
    expect_values(combined(guidance, 2, 0.5), row.expected, "classifier-free");
  }
}

TEST(Guidance, LosesNoTensor) {
  const int64_t before = services::live_tensors();
  for (double scale : {0.0, 1.0, 3.0}) combined(builtin("guidance", "classifier-free", {{"scale", scale}}), 2, 1);
  EXPECT_EQ(services::live_tensors(), before);
}

}  // namespace
}  // namespace perrin::testing
