#include "plugins/encoders/growth.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace perrin::testing {
namespace {

using first_stage::Growth;

TEST(Growth, starts_at_the_coarsest_level_and_ends_at_the_finest) {
  const Growth growth{3, 10, 4};
  struct Row {
    int64_t steps, level;
    double alpha;
  };
  for (const Row& row : {Row{0, 2, 1},
                         {9, 2, 1},
                         {10, 1, 0},
                         {11, 1, 0.25},
                         {14, 1, 1},
                         {19, 1, 1},
                         {20, 0, 0},
                         {23, 0, 0.75},
                         {24, 0, 1},
                         {1000000, 0, 1}}) {
    EXPECT_EQ(growth.after(row.steps).level, row.level) << row.steps;
    EXPECT_EQ(growth.after(row.steps).alpha, row.alpha) << row.steps;
  }
}

// What takes part moves by at most 1 / fade a step: a level that starts has share 0.
TEST(Growth, is_continuous) {
  for (const Growth& growth : {Growth{3, 10, 4}, Growth{4, 7, 7}, Growth{2, 5, 1}}) {
    double before = 0;
    for (int64_t steps = 0; steps < 60; ++steps) {
      const auto [level, alpha] = growth.after(steps);
      const double grown = static_cast<double>(growth.levels - 1 - level) + alpha;
      if (steps > 0) {
        EXPECT_GE(grown, before) << steps;
        EXPECT_LE(grown - before, 1 / static_cast<double>(growth.fade) + 1e-12) << steps;
      }
      before = grown;
    }
    EXPECT_EQ(before, static_cast<double>(growth.levels));
  }
}

TEST(Growth, of_one_level_or_without_fade_has_no_mixture) {
  EXPECT_EQ((Growth{1, 10, 4}.after(0).level), 0);
  EXPECT_EQ((Growth{1, 10, 4}.after(12).alpha), 1);
  EXPECT_EQ((Growth{3, 10, 0}.after(10).alpha), 1);
}

}  // namespace
}  // namespace perrin::testing
