#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/config/load.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

namespace fs = std::filesystem;

class Include : public ::testing::Test {
 protected:
  Include() : old_(fs::current_path()) {
    std::string pattern = (fs::temp_directory_path() / "perrin-include-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
    write("base.toml", kMinimal);
  }
  ~Include() override {
    fs::current_path(old_);
    fs::remove_all(folder_);
  }

  static void write(const fs::path& name, const std::string& text) {
    if (name.has_parent_path()) fs::create_directories(name.parent_path());
    std::ofstream(name, std::ios::binary) << text;
  }

  static Loaded load_it(const std::string& name) { return load(name, {}, catalogue()); }

  static std::string fault_of(const std::string& name) {
    try {
      load_it(name);
    } catch (const Diagnostics& fault) {
      return fault.message();
    } catch (const Error& fault) {
      return fault.message();
    }
    return "none";
  }

  fs::path old_, folder_;
};

TEST_F(Include, TheIncludingFileWinsKeyByKey) {
  write("a.toml", "include = \"base.toml\"\n[experiment]\nname = \"a\"\n[denoiser]\ndropout = 0.5\n");
  const Loaded loaded = load_it("a.toml");
  EXPECT_EQ(loaded.experiment.name, "a");
  EXPECT_EQ(loaded.experiment.denoiser.get<double>("dropout"), 0.5);
  EXPECT_EQ(loaded.experiment.denoiser.get<Integers>("channels"), (Integers{32, 64}));
  EXPECT_EQ(to_string(loaded.experiment.denoiser.place("channels")), "base.toml:6:12");
  EXPECT_EQ(to_string(loaded.experiment.denoiser.place("dropout")), "a.toml:5:11");
  EXPECT_EQ(loaded.resolved_toml.find("include"), std::string::npos);
}

TEST_F(Include, ListsOfTablesAreReplacedWhole) {
  write("two.toml", std::string(kMinimal) + "[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\n");
  write("a.toml", "include = \"two.toml\"\n[[stage]]\nname = \"c\"\n");
  const Experiment made = load_it("a.toml").experiment;
  ASSERT_EQ(made.stages.size(), 1U);
  EXPECT_EQ(made.stages[0].name, "c");
}

TEST_F(Include, IsRelativeToTheIncludingFileAndMayNest) {
  write("sub/middle.toml", "include = \"../base.toml\"\n[sampler]\nsteps = 3\n");
  write("a.toml", "include = \"sub/middle.toml\"\n");
  EXPECT_EQ(load_it("a.toml").experiment.sampling.steps, 3);
}

TEST_F(Include, AnotherComponentDropsTheKeysOfTheIncludedOne) {
  write("a.toml", "include = \"base.toml\"\n[denoiser]\nuse = \"mlp\"\n");
  const Loaded loaded = load_it("a.toml");
  EXPECT_EQ(loaded.experiment.denoiser.use, "mlp");
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_TRUE(loaded.warnings[0].starts_with("base.toml:6:1: warning: ignored key \"channels\"")) << loaded.warnings[0];
}

TEST_F(Include, OfTwoNamesOfAKeyTheNewerLayerWins) {
  write("old.toml", std::string(kMinimal) + "down = \"max\"\n");
  write("a.toml", "include = \"old.toml\"\n[denoiser]\ndownsample = \"avg\"\n");
  EXPECT_EQ(load_it("a.toml").experiment.denoiser.get<std::string>("downsample"), "avg");
  EXPECT_EQ(load("a.toml", {"denoiser.down=nearest"}, catalogue()).experiment.denoiser.get<std::string>("downsample"),
            "nearest");
}

TEST_F(Include, ErrorsNameTheFileThatHoldsThem) {
  write("bad.toml", std::string(kMinimal) + "dropout = 7\n");
  write("a.toml", "include = \"bad.toml\"\n[sampler]\nstps = 3\n");
  const std::string message = fault_of("a.toml");
  EXPECT_LT(message.find("a.toml:3:1: error: unknown key \"stps\""),
            message.find("bad.toml:7:11: error: \"dropout\" is out of range: 7"))
      << message;
  EXPECT_TRUE(message.ends_with("2 errors in a.toml; nothing was run.\n")) << message;
}

TEST_F(Include, SyntaxErrorsInAnIncludedFileHaveTheirPlace) {
  write("bad.toml", "[experiment\n");
  write("a.toml", "include = \"bad.toml\"\n");
  EXPECT_EQ(fault_of("a.toml"),
            "bad.toml:1:12: error: TOML syntax: expected ']', saw '\\n' (table header)\n   1 | [experiment\n"
            "     |            ^\n1 error in a.toml; nothing was run.\n");
}

TEST_F(Include, ACycleIsRefused) {
  write("a.toml", "include = \"b.toml\"\n");
  write("b.toml", "include = \"./a.toml\"\n");
  EXPECT_EQ(
      fault_of("a.toml"),
      "b.toml:1:11: error: \"./a.toml\" includes itself\n   1 | include = \"./a.toml\"\n     |           ^~~~~~~~~~\n"
      "     = a.toml -> b.toml -> a.toml\n1 error in a.toml; nothing was run.\n");
}

TEST_F(Include, AMissingFileNamesTheNearest) {
  write("a.toml", "include = \"bsae.toml\"\n");
  EXPECT_EQ(fault_of("a.toml"),
            "a.toml:1:11: error: cannot include: no file \"bsae.toml\"\n   1 | include = \"bsae.toml\"\n"
            "     |           ^~~~~~~~~~~\n     = did you mean \"base.toml\"?\n1 error in a.toml; nothing was run.\n");
  EXPECT_EQ(fault_of("bsae.toml"), "error: no file \"bsae.toml\"\n  fix: did you mean \"base.toml\"?\n");
}

TEST_F(Include, AnythingButOnePathIsRefused) {
  write("a.toml", "include = [\"base.toml\"]\n");
  EXPECT_NE(fault_of("a.toml").find("a.toml:1:11: error: \"include\" must be text, the path of one file"),
            std::string::npos);
  write("a.toml", "include = \".\"\n");
  EXPECT_NE(fault_of("a.toml").find("is a folder, not a TOML file"), std::string::npos) << fault_of("a.toml");
}

TEST_F(Include, AChainThatIsTooLongIsRefused) {
  for (int i = 0; i < 20; ++i)
    write("f" + std::to_string(i) + ".toml", "include = \"f" + std::to_string(i + 1) + ".toml\"\n");
  EXPECT_NE(fault_of("f0.toml").find("includes are nested more than 16 deep"), std::string::npos)
      << fault_of("f0.toml");
}

}  // namespace
}  // namespace perrin::config::test
