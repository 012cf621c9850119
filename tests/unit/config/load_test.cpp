#include "host/config/load.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

Loaded load_more(const std::string& more, const std::vector<std::string>& set = {}) {
  return load_text(kMinimal + more, "x.toml", set, catalogue());
}

TEST(Load, FillsTheDefaultsOfAMinimalFile) {
  const Experiment made = load_more("").experiment;
  EXPECT_EQ(made.encoder.use, "identity");
  EXPECT_EQ(made.parameterization.use, "epsilon");
  EXPECT_EQ(made.weighting.use, "uniform");
  EXPECT_EQ(made.timesteps.use, "uniform");
  EXPECT_EQ(made.sampler.use, "ddim");
  EXPECT_EQ(made.guidance.use, "none");
  EXPECT_TRUE(made.conditioners.empty());
  ASSERT_EQ(made.stages.size(), 1U);
  EXPECT_EQ(made.stages[0].name, "train");
  EXPECT_TRUE(made.stages[0].train.empty());
  EXPECT_EQ(made.stages[0].optimizer.use, "adamw");
  EXPECT_FALSE(made.stages[0].condition_drop.has_value());
  ASSERT_EQ(made.stages[0].losses.size(), 1U);
  EXPECT_EQ(made.stages[0].losses[0].component.use, "l2");
  EXPECT_EQ(made.denoiser.get<double>("dropout"), 0.0);
  EXPECT_EQ(made.denoiser.find("note"), nullptr) << "optional, without a default, not given";
  EXPECT_EQ(made.denoiser.factory->tier, "B");
}

TEST(Load, GivesEachLossItsOwnPartOnly) {
  const Experiment made =
      load_more("[[stage]]\n[[stage.loss]]\nuse = \"acme.huber\"\nname = \"h\"\nweight = 2\nstart = 3\ndelta = 4\n")
          .experiment;
  const Loss& loss = made.stages[0].losses.at(0);
  EXPECT_EQ(loss.component.name, "h");
  EXPECT_EQ(loss.weight, 2);
  EXPECT_EQ(loss.start, 3);
  EXPECT_EQ(loss.component.values.size(), 1U);
  EXPECT_EQ(loss.component.get<double>("delta"), 4);
}

TEST(Load, TellsConditionersOfOneIdApartByTheirNames) {
  const Loaded loaded = load_more(
      "[[conditioner]]\nuse = \"class-label\"\n[[conditioner]]\nuse = \"class-label\"\nname = \"one\"\n",
      {"conditioner.one.name=colour"});
  const auto& both = loaded.experiment.conditioners;
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].name, "conditioner.class-label");
  EXPECT_EQ(both[1].name, "conditioner.colour");
  const Loaded again = load_text(loaded.resolved_toml, "resolved.toml", {}, catalogue());
  EXPECT_EQ(again.resolved_toml, loaded.resolved_toml);
  EXPECT_EQ(again.experiment.conditioners[1].name, "conditioner.colour");
}

TEST(Load, KeepsThePinOfEachLibrary) {
  const std::string one(64, 'a'), two(64, 'b');
  const Loaded loaded =
      load_more("sha256 = \"" + std::string(64, 'A') + "\"\n[[stage]]\n[[stage.loss]]\nsha256 = \"" + two + "\"\n");
  EXPECT_EQ(loaded.experiment.denoiser.sha256, one);
  EXPECT_EQ(loaded.experiment.stages[0].losses[0].component.sha256, two);
  EXPECT_EQ(loaded.experiment.schedule.sha256, "");
  const Loaded again = load_text(loaded.resolved_toml, "resolved.toml", {}, catalogue());
  EXPECT_EQ(again.experiment.denoiser.sha256, one);
  EXPECT_EQ(again.hash, loaded.hash);
  EXPECT_NE(loaded.hash, load_more("").hash);
  EXPECT_EQ(load_more("", {"denoiser.sha256=" + one}).experiment.denoiser.sha256, one);
}

TEST(Load, DropsThePinOfAComponentThatIsReplaced) {
  const Loaded loaded = load_more("sha256 = \"" + std::string(64, 'a') + "\"\n", {"denoiser.use=mlp"});
  EXPECT_EQ(loaded.experiment.denoiser.sha256, "");
  std::string warnings;
  for (const std::string& warning : loaded.warnings) warnings += warning;
  EXPECT_NE(warnings.find("ignored key \"sha256\" in [denoiser] (mlp)"), std::string::npos) << warnings;
}

TEST(Load, TakesIntegersAsNumbersAndWholeNumbersAsIntegers) {
  const Experiment made = load_more("warm = 3\n[[stage]]\nsteps = 1e3\n").experiment;
  EXPECT_EQ(made.denoiser.get<double>("warm"), 3.0);
  EXPECT_EQ(made.stages[0].steps, 1000);
}

TEST(Load, InfinityIsOnlyForKeysThatMeanIt) {
  EXPECT_EQ(load_more("", {"sampler.use=euler", "sampler.s_max=inf"}).experiment.sampler.get<double>("s_max"),
            INFINITY);
  EXPECT_THROW(load_more("", {"sampler.use=euler", "sampler.s_max=-inf"}), Diagnostics);
  EXPECT_THROW(load_more("", {"sampler.use=euler", "sampler.s_max=nan"}), Diagnostics);
  EXPECT_THROW(load_more("", {"sampler.eta=inf"}), Diagnostics);
}

TEST(Load, ResolvesAliasesOfComponentsAndKeys) {
  const Experiment made = load_more("down = \"avg\"\n", {"schedule.use=sqrt_linear"}).experiment;
  EXPECT_EQ(made.schedule.use, "linear");
  EXPECT_EQ(made.denoiser.get<std::string>("downsample"), "avg");
}

TEST(Load, KeepsPlacesOfValuesForLaterComplaints) {
  const Loaded loaded = load_more("dropout = 0.5\n");
  EXPECT_EQ(to_string(loaded.experiment.denoiser.place("dropout")), "x.toml:7:11");
  EXPECT_EQ(to_string(loaded.experiment.denoiser.place("warm")), "x.toml:4:2") << "not given: the table";
  EXPECT_EQ(loaded.error(loaded.experiment.denoiser.place("dropout"), "too wet", "dry it").message(),
            "x.toml:7:11: error: too wet\n   7 | dropout = 0.5\n     |           ^~~\n     = dry it\n"
            "1 error in x.toml; nothing was run.\n");
}

TEST(Load, CrlfAndByteOrderMarkChangeNothing) {
  std::string text = kMinimal;
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\r\n");
  const Loaded unix_like = load_more(""), other = load_text("\xef\xbb\xbf" + text, "x.toml", {}, catalogue());
  EXPECT_EQ(unix_like.hash, other.hash);
  try {
    load_text(
        "\xef\xbb\xbf"
        "experiment = 1\r\n",
        "x.toml", {}, catalogue());
    FAIL();
  } catch (const Diagnostics& fault) {
    EXPECT_NE(fault.message().find("x.toml:1:1: error: [experiment] must be a table, not an integer\n   1 | experiment "
                                   "= 1\n     | ^~~~~~~~~~\n"),
              std::string::npos)
        << fault.message();
  }
}

TEST(Load, WarnsOfDeprecatedKeysAndStillLoads) {
  const Loaded loaded = load_more("heads = 2\n");
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_EQ(loaded.warnings[0],
            "x.toml:7:1: warning: key \"heads\" in [denoiser] (unet) is deprecated\n   7 | heads = 2\n     | ^~~~~\n"
            "     = use \"head_dim\"\n");
  EXPECT_EQ(loaded.experiment.denoiser.get<int64_t>("heads"), 2);
}

TEST(Load, ASchemaThatLacksAKeyIsAnErrorOfTheHost) {
  EXPECT_THROW(load_more("").experiment.denoiser.get<double>("no_such"), Error);
  EXPECT_THROW(load_more("").experiment.denoiser.get<int64_t>("dropout"), Error);
}

TEST(Load, TellsWhenNoPluginOffersAKind) {
  try {
    load_text(kMinimal, "x.toml", {}, {});
    FAIL();
  } catch (const Diagnostics& fault) {
    EXPECT_NE(fault.message().find("no schedule is called \"linear\""), std::string::npos) << fault.message();
    EXPECT_NE(fault.message().find("no plugin offers any; `perrin plugin list` shows what was found"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace perrin::config::test
