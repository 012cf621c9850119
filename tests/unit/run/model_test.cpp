// What a composition is asked for before anything is trained.
#include "host/run/model.hpp"

#include <gtest/gtest.h>

#include "tests/unit/run/composition.hpp"

namespace perrin::run::test {
namespace {

TEST(Model, AScheduleKnowsTheResolutionBeforeItIsAskedForItsTimes) {
  for (const auto& [text, levels] : {std::pair(kPoints, 2), std::pair(kImages, 64)}) {
    const Composition c = compose(text, {"schedule={use='test.resolution'}", "sampler.steps=1"});
    EXPECT_EQ(c->times.domain().steps, static_cast<uint64_t>(levels));
    const double u = levels / (levels + 1.0);
    EXPECT_EQ(c->times.at(levels - 1).sigma, u);
    EXPECT_EQ(c->times.at(levels - 1).alpha, 1 - u);
  }
}

TEST(Model, AWeightThatIsNotFiniteAtAnEndOfTheScheduleIsRefused) {
  for (const std::string use : {"test.endless", "test.endless-late"}) {
    const auto with = [&](const std::string& at) { compose(kPoints, {"weighting={use='" + use + "',at=" + at + "}"}); };
    EXPECT_EQ(message_of([&] { with("500"); }), "") << use << ": not an end";
    for (const std::string end : {"0", "999"}) {
      const std::string message = message_of([&] { with(end); });
      for (const std::string part :
           {"[weighting] (" + use + "): it has no finite weight at t = " + end + ".0",
            std::string("choose another weighting or parameterization, or a schedule without")})
        EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace perrin::run::test
