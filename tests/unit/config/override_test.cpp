// --set: addressing, values, precedence.
#include <gtest/gtest.h>

#include "host/config/load.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

const std::string kTwoStages =
    std::string(kMinimal) +
    "[[stage]]\nname = \"first\"\n[[stage.loss]]\nuse = \"l2\"\n[[stage.loss]]\nuse = \"acme.huber\"\n"
    "[[stage]]\nname = \"second\"\n";

Experiment set(const std::string& text, const std::vector<std::string>& overrides) {
  return load_text(text, "x.toml", overrides, catalogue()).experiment;
}

std::string fault_of(const std::string& text, const std::vector<std::string>& overrides) {
  try {
    set(text, overrides);
  } catch (const Diagnostics& fault) {
    return fault.entries.at(0).message;
  }
  return "none";
}

TEST(Set, ALoneStageNeedsNoAddress) {
  EXPECT_EQ(set(kMinimal, {"stage.steps=5"}).stages[0].steps, 5) << "also when the file has no [[stage]]";
  EXPECT_EQ(set(kMinimal, {"stage.train.steps=5"}).stages[0].steps, 5) << "by the default name";
  EXPECT_EQ(set(kMinimal, {"stage.train=[\"denoiser\"]"}).stages[0].train, Texts{"denoiser"});
  EXPECT_EQ(set(kMinimal, {"stage.loss.weight=2"}).stages[0].losses[0].weight, 2);
  EXPECT_EQ(set(kMinimal, {"stage.loss.l2.weight=2"}).stages[0].losses[0].weight, 2);
  EXPECT_EQ(set(kMinimal, {"stage.optimizer.lr=2"}).stages[0].optimizer.get<double>("lr"), 2);
}

TEST(Set, AnEntryIsAddressedByNameUseOrIndex) {
  EXPECT_EQ(set(kTwoStages, {"stage.second.steps=5"}).stages[1].steps, 5);
  EXPECT_EQ(set(kTwoStages, {"stage.1.steps=5"}).stages[1].steps, 5);
  EXPECT_EQ(set(kTwoStages, {"stage.first.loss.acme.huber.delta=5"}).stages[0].losses[1].component.get<double>("delta"),
            5);
  EXPECT_EQ(
      set(kTwoStages, {"stage.first.loss.\"acme.huber\".delta=5"}).stages[0].losses[1].component.get<double>("delta"),
      5);
  EXPECT_EQ(set(kTwoStages, {"stage.first.loss.0.weight=5"}).stages[0].losses[0].weight, 5);
}

TEST(Set, AnUnclearAddressIsRefused) {
  EXPECT_EQ(fault_of(kTwoStages, {"stage.steps=5"}), "which \"stage\"? there are 2");
  EXPECT_EQ(fault_of(kTwoStages, {"stage.2.steps=5"}), "which \"stage\"? there are 2");
  EXPECT_EQ(fault_of(kTwoStages, {"stage.third.steps=5"}), "which \"stage\"? there are 2");
  EXPECT_EQ(fault_of(kTwoStages, {"experiment.name.x=5"}), "\"name\" is text, it has no keys of its own");
  EXPECT_EQ(fault_of(kTwoStages, {"include=a.toml"}), "\"include\" can only stand in a file");
}

TEST(Set, AMalformedOneIsRefused) {
  EXPECT_EQ(fault_of(kMinimal, {"seed"}), "no '=' in it");
  EXPECT_EQ(fault_of(kMinimal, {"=5"}), "no key before '='");
  EXPECT_EQ(fault_of(kMinimal, {"a..b=5"}), "an empty part in the key");
  EXPECT_EQ(fault_of(kMinimal, {"denoiser.note=a\nb"}), "TOML syntax: this is not a TOML value");
  EXPECT_EQ(fault_of(kMinimal, {"denoiser.note=1\nb=2"}), "more than one value");
}

TEST(Set, ABareWordIsTextAndQuotesMakeText) {
  EXPECT_EQ(set(kMinimal, {"denoiser.note=/a b/c#d"}).denoiser.get<std::string>("note"), "/a b/c#d");
  EXPECT_EQ(set(kMinimal, {"denoiser.note=\"5\""}).denoiser.get<std::string>("note"), "5");
  EXPECT_EQ(set(kMinimal, {"denoiser.note=2020-01-01"}).denoiser.get<std::string>("note"), "2020-01-01");
  EXPECT_EQ(set(kMinimal, {"denoiser.note="}).denoiser.get<std::string>("note"), "");
  EXPECT_EQ(set(kMinimal, {"denoiser.note=a=b"}).denoiser.get<std::string>("note"), "a=b");
  EXPECT_EQ(set(kMinimal, {" denoiser . dropout = 0.5 "}).denoiser.get<double>("dropout"), 0.5);
  EXPECT_EQ(set(kMinimal, {"denoiser.channels=[8, 16]"}).denoiser.get<Integers>("channels"), (Integers{8, 16}));
}

TEST(Set, TheLastOneWins) { EXPECT_EQ(set(kMinimal, {"stage.steps=5", "stage.steps=6"}).stages[0].steps, 6); }

TEST(Set, SwappingAComponentDropsTheOthersKeysAndSaysSo) {
  const std::string text = std::string(kMinimal) + "attention = false\n[sampler]\neta = 0.5\nsteps = 7\n";
  const Loaded loaded = load_text(text, "x.toml", {"sampler.use=euler"}, catalogue());
  EXPECT_EQ(loaded.experiment.sampling.steps, 7) << "a key of both stays";
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_TRUE(loaded.warnings[0].starts_with("x.toml:9:1: warning: ignored key \"eta\" in [sampler] (euler)"))
      << loaded.warnings[0];
  EXPECT_EQ(fault_of(text, {"sampler.use=ddim", "sampler.eat=1"}), "unknown key \"eat\" in [sampler] (ddim)");
  EXPECT_EQ(fault_of(text, {"sampler.eta=1", "sampler.use=euler"}), "unknown key \"eta\" in [sampler] (euler)")
      << "a key that an override sets is meant";
}

}  // namespace
}  // namespace perrin::config::test
