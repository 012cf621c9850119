// An adaptive sampler's error: a hand-worked example, and the loop against ATen's operators.
#include "host/sample/distance.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "host/base/error.hpp"

namespace perrin::sample {
namespace {

// Tolerances of the first sample max(0.1, 0.5 * 2) = 1 and max(0.1, 0.5 * 0.1) = 0.1: errors 3 and 4, whose root mean
// square is sqrt(12.5). The second sample's are 1 and 0.
TEST(Distance, is_the_worst_samples) {
  const at::Tensor x = at::tensor({1.0f, 0.1f, 2.0f, 4.0f}).view({2, 2}),
                   y = at::tensor({-2.0f, 0.5f, 1.0f, 4.0f}).view({2, 2}),
                   previous = at::tensor({-2.0f, 0.0f, 0.0f, 0.0f}).view({2, 2});
  EXPECT_NEAR(distance(x, y, previous, 0.1, 0.5), std::sqrt(12.5), 1e-6);
}

TEST(Distance, is_that_of_operators) {
  const at::Tensor x = at::randn({3, 2, 5, 7}), y = x + 0.01 * at::randn_like(x), previous = at::randn_like(x);
  const double expected = distance_reference(x, y, previous, 1e-3, 1e-2);
  EXPECT_NEAR(distance(x, y, previous, 1e-3, 1e-2), expected, 1e-12 * expected);
  const auto last = at::MemoryFormat::ChannelsLast;
  EXPECT_NEAR(distance(x.contiguous(last), y, previous, 1e-3, 1e-2), expected, 1e-12 * expected);
}

TEST(Distance, lets_a_NaN_through) {
  for (const int which : {0, 1, 2}) {
    at::Tensor all[] = {at::randn({2, 4}), at::randn({2, 4}), at::randn({2, 4})};
    all[which][0][1] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(distance(all[0], all[1], all[2], 1e-3, 1e-2))) << which;
    EXPECT_TRUE(std::isnan(distance_reference(all[0], all[1], all[2], 1e-3, 1e-2))) << which;
  }
}

TEST(Distance, refuses_other_shapes) {
  EXPECT_THROW(distance(at::randn({2, 4}), at::randn({2, 3}), at::randn({2, 4}), 1e-3, 1e-2), Error);
}

}  // namespace
}  // namespace perrin::sample
