// Properties of the resolved text on random experiments; a failure prints the seed and the file.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "host/config/load.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

class RandomFile {
 public:
  explicit RandomFile(unsigned seed) : engine_(seed) {}

  std::string make() {
    std::string text = "experiment.name = \"r" + std::to_string(below(100)) +
                       "\"\nexperiment.seed = " + std::to_string(below(1 << 30)) + "\n";
    text += table("dataset", one_of({"fashion-mnist", "gaussian-mixture"}));
    const bool unet = below(2) == 0;
    text += table("denoiser", unet ? "unet" : "mlp") +
            (unet ? "channels = [" + std::to_string(1 + below(9)) + "]\n" + unet_keys() : "");
    text += table("schedule", one_of({"linear", "sqrt_linear", "cosine"})) +
            maybe("T = " + std::to_string(1 + below(1000)));
    for (int i = below(3); i > 0; --i)
      text += "[[conditioner]]\nuse = \"class-label\"\n" + (i == 2 ? "name = \"two\"\n" : maybe("name = \"one\""));
    if (below(2) == 0)
      text += table("sampler", one_of({"ddim", "euler"})) + maybe("steps = 7") + maybe("spacing = \"leading\"");
    if (below(2) == 0) text += table("weighting", "min-snr") + maybe("gamma = " + number());
    const int stages = below(4);
    for (int i = 0; i < stages; ++i) text += stage(i, stages);
    if (below(2) == 0) text += "[samples]\n" + maybe("count = " + std::to_string(1 + below(50)));
    return text;
  }

 private:
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  std::string one_of(const Texts& words) { return words[static_cast<size_t>(below(static_cast<int>(words.size())))]; }
  std::string maybe(const std::string& line) { return below(2) == 0 ? line + "\n" : ""; }
  static std::string table(const std::string& kind, const std::string& use) {
    return "[" + kind + "]\nuse = \"" + use + "\"\n";
  }

  // Any finite double: the bits are random.
  std::string number() {
    for (;;) {
      const uint64_t bits = uint64_t{engine_()} << 32 | engine_();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      if (std::isfinite(value)) return to_toml(value);
    }
  }

  std::string unet_keys() {
    return maybe("dropout = 0." + std::to_string(below(1000))) + maybe("down = \"avg\"") +
           maybe("heads = " + std::to_string(below(5))) + maybe("blocks = []") + maybe("attention = false") +
           maybe("scales = [" + number() + ", " + number() + "]") +
           maybe("note = \"" + one_of({"", "plain", "é日本", "q\\\"uo\\\\te", "line\\nline\\ttab\\u0001"}) + "\"");
  }

  std::string stage(int index, int count) {
    std::string text = "[[stage]]\n";
    if (count > 1) text += "name = \"s" + std::to_string(index) + "\"\n";
    text += maybe("steps = " + std::to_string(100 + below(1000))) + maybe("warmup = " + std::to_string(below(100)));
    text += maybe("precision = \"bf16\"") + maybe("train = [\"denoiser\"]") +
            maybe("optimizer.lr = 1e-" + std::to_string(1 + below(9)));
    if (below(2) == 0) text += "[[stage.loss]]\n";
    if (below(2) == 0)
      text += "[[stage.loss]]\nuse = \"acme.huber\"\n" + maybe("name = \"h\"") + maybe("delta = " + number());
    return text;
  }

  std::mt19937 engine_;
};

TEST(Resolved, LoadsBackToTheSameForRandomExperiments) {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    const std::string text = RandomFile(seed).make();
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
    const Loaded first = load_text(text, "x.toml", {}, catalogue());
    const Loaded again = load_text(first.resolved_toml, "resolved.toml", {}, catalogue());
    ASSERT_EQ(again.resolved_toml, first.resolved_toml);
    ASSERT_EQ(again.resolved_json, first.resolved_json);
    ASSERT_EQ(again.params, first.params);
    ASSERT_EQ(again.hash, first.hash);
  }
}

// Every parameter's address is one that --set takes, and setting what it already is changes nothing.
TEST(Resolved, EveryParameterIsAnAddressOfSet) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    const std::string text = RandomFile(seed).make();
    const Loaded first = load_text(text, "x.toml", {}, catalogue());
    for (const auto& [address, value] : first.params) {
      const bool list_or_plain = !address.ends_with(".note") && !address.ends_with(".path");
      const std::string spelled = list_or_plain ? value : to_toml(std::string_view(value));
      SCOPED_TRACE("seed " + std::to_string(seed) + " --set " + address + "=" + spelled);
      const Loaded set = load_text(text, "x.toml", {address + "=" + spelled}, catalogue());
      ASSERT_EQ(set.resolved_toml, first.resolved_toml);
    }
  }
}

TEST(Resolved, TheHashFollowsTheSeedAndNotTheSpelling) {
  const auto hash = [](const std::string& more, const std::vector<std::string>& set = {}) {
    return load_text(kMinimal + more, "x.toml", set, catalogue()).hash;
  };
  EXPECT_EQ(hash(""), hash("# a comment\ndropout = 0\n")) << "a default written out is the same experiment";
  EXPECT_EQ(hash("", {"stage.steps=1e3"}), hash("[[stage]]\nsteps = 1_000\n"));
  EXPECT_NE(hash(""), hash("", {"experiment.seed=1"}));
  EXPECT_NE(hash(""), hash("dropout = 0.5\n"));
}

TEST(Resolved, JsonHoldsTheSameTree) {
  const auto json = nlohmann::json::parse(load_text(kMinimal, "x.toml", {}, catalogue()).resolved_json);
  EXPECT_EQ(json["denoiser"]["channels"], nlohmann::json({32, 64}));
  EXPECT_EQ(json["stage"][0]["optimizer"]["use"], "adamw");
  EXPECT_EQ(json["stage"][0]["loss"][0]["use"], "l2");
}

}  // namespace
}  // namespace perrin::config::test
