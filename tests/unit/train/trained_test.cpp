// Which components a stage trains.
#include <gtest/gtest.h>

#include "host/life/trainer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

using Kinds = std::vector<std::string>;

Kinds trained(const std::string& stage, const std::string& weighting) {
  const Composition c = compose(kPoints, {"weighting={use='" + weighting + "'}", "stage=[{" + stage + "}]"});
  return trained_kinds(*c, c.loaded, c.stage());
}

TEST(TrainedKinds, AWeightingThatLearnsGoesWithTheDenoiser) {
  EXPECT_EQ(trained("train=['denoiser']", "learnt-uncertainty"), (Kinds{"denoiser", "weighting"}));
  EXPECT_EQ(trained("train=['conditioner']", "learnt-uncertainty"), (Kinds{"conditioner"}));
  EXPECT_EQ(trained("train=[]", "learnt-uncertainty"), (Kinds{"conditioner", "denoiser", "weighting"}));
  EXPECT_EQ(trained("train=['denoiser']", "min-snr"), (Kinds{"denoiser"}));
  EXPECT_NE(message_of([] { trained("train=['weighting']", "learnt-uncertainty"); }), "");
}

}  // namespace
}  // namespace perrin::test
