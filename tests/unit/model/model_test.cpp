// What a composition is asked for before anything is trained.
#include "host/model/model.hpp"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "host/data/samples.hpp"
#include "host/model/latent.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
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

// latent = scale (z - shift), as diffusers' pipelines of Stable Diffusion 3 and Flux have it.
TEST(Model, TheLatentIsShiftedBeforeItIsScaled) {
  const Composition c = compose(kImages, {"encoder={use='identity',scale_factor=4.0,shift_factor=0.25}"});
  const std::vector<uint64_t> positions = {0, 1};
  const perrin_call call = evaluation_call(0, positions);
  const at::Tensor x = at::full({2, 1, 8, 8}, 0.75), latent = encode_latent(*c, call, x);
  EXPECT_TRUE(latent.equal(at::full({2, 1, 8, 8}, 2.0)));
  EXPECT_TRUE(decode_latent(*c, call, latent).equal(x));
}

// A float32 field is its own image until it is scaled, and conditioners see it too.
TEST(Model, AnImageFieldIsNotScaledInPlace) {
  const Composition c = compose(kImages);
  c->shapes.fields[c->shapes.image].scale = 2;
  const Batch batch = read_samples(*c, 0, 2);
  ASSERT_EQ(batch.fields[c->shapes.image].scalar_type(), at::kFloat);
  const at::Tensor before = batch.fields[c->shapes.image].clone();
  EXPECT_TRUE(images(*c, batch).equal(before.mul(2)));
  EXPECT_TRUE(batch.fields[c->shapes.image].equal(before));
}

TEST(Model, AWeightThatIsNotFiniteAtAnEndOfTheScheduleIsRefused) {
  for (const std::string use : {"test.endless", "test.endless-late"}) {
    const auto with = [&](const std::string& at) { compose(kPoints, {"weighting={use='" + use + "',at=" + at + "}"}); };
    EXPECT_EQ(message_of([&] { with("500"); }), "") << use << ": not an end";
    for (const std::string end : {"0", "999"}) {
      const std::string message = message_of([&] { with(end); });
      for (const std::string& part :
           {"[weighting] (" + use + "): it has no finite weight at t = " + end + ".0",
            std::string("choose another weighting or parameterization, or a schedule without")})
        EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace perrin::test
