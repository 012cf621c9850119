// sdk/examples/c-schedule as a stranger uses it: copied out of the tree, built by the line in its README, loaded.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/loader/elf.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

// The README's line that begins with `word`.
std::string line_of_readme(const std::string& word) {
  std::istringstream readme(text_of(fs::path(PERRIN_TEST_SDK) / "examples/c-schedule/README.md"));
  for (std::string line; std::getline(readme, line);)
    if (line.starts_with(word)) return line;
  throw Error("the README has no line that begins with " + word);
}

struct Output {
  int status;
  std::string text;
};
Output shell(const std::string& command) {
  Output output{-1, ""};
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  for (size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.text.append(buffer.data(), n);
  output.status = pclose(pipe);
  return output;
}

class ExampleInC : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = fs::temp_directory_path() / ("perrin-example-c-" + std::to_string(getpid()));
    fs::create_directory(folder);
    fs::copy(fs::path(PERRIN_TEST_SDK) / "examples/c-schedule/schedule.c", folder / "schedule.c");
    built = shell("cd " + folder.string() + " && PERRIN=" PERRIN_TEST_SDK " && " + line_of_readme("cc "));
  }
  static void TearDownTestSuite() { fs::remove_all(folder); }
  static std::string library() { return (folder / "example-schedule.so").string(); }

  static fs::path folder;
  static Output built;
};
fs::path ExampleInC::folder;
Output ExampleInC::built;

TEST_F(ExampleInC, IsBuiltByTheReadmesLineWithoutAWarning) {
  EXPECT_EQ(built.status, 0) << built.text;
  EXPECT_EQ(built.text, "");
  EXPECT_TRUE(fs::exists(library()));
}

TEST_F(ExampleInC, NeedsTheCLibraryAloneAndExportsTheEntryAlone) {
  const std::string bytes = text_of(library());
  const loader::Elf elf = loader::read_elf(std::as_bytes(std::span(bytes)), library());
  EXPECT_EQ(elf.exports, std::vector<std::string>{"perrin_entry"});
  for (const std::string& needed : elf.needed)
    EXPECT_TRUE(needed.starts_with("libc.so") || needed.starts_with("libm.so")) << needed;
}

TEST_F(ExampleInC, IsTheScheduleThatItSays) {
  const auto schedule = load(library(), "schedule", "example.cubic", {{"steps", int64_t{100}}, {"last_signal", 0.25}});
  const std::vector<perrin_time> t = levels(schedule);
  ASSERT_EQ(t.size(), 100u);
  EXPECT_NEAR(std::pow(t[49].alpha, 2), 1 - 0.75 * 0.125, 1e-15);
  EXPECT_NEAR(std::pow(t[99].alpha, 2), 0.25, 1e-15);
  for (size_t i = 0; i < t.size(); ++i) {
    EXPECT_NEAR(std::hypot(t[i].alpha, t[i].sigma), 1, 1e-15);
    if (i > 0) EXPECT_LT(t[i].alpha, t[i - 1].alpha);
  }
}

TEST_F(ExampleInC, TwoInstancesKeepTheirOwnValues) {
  const auto a = load(library(), "schedule", "example.cubic", {{"last_signal", 0.0}});
  const auto b = load(library(), "schedule", "example.cubic", {{"steps", int64_t{10}}});
  EXPECT_EQ(levels(a).size(), 1000u);
  EXPECT_EQ(levels(a).back().alpha, 0);
  EXPECT_EQ(levels(b).size(), 10u);
  EXPECT_NEAR(std::pow(levels(b).back().alpha, 2), 1e-4, 1e-15);
}

TEST_F(ExampleInC, IsFoundAndShownByThePerrinCommand) {
#ifdef PERRIN_TEST_PROGRAM
  const std::string environment =
      "cd " + folder.string() + " && export XDG_CACHE_HOME=$PWD/cache XDG_DATA_HOME=$PWD/data";
  const std::string perrin = fs::path(PERRIN_TEST_PROGRAM).parent_path().string();
  const Output shown = shell(environment + " PATH=" + perrin + ":$PATH && " +
                             line_of_readme("PERRIN_PLUGIN_PATH=$PWD perrin plugin show"));
  EXPECT_EQ(shown.status, 0) << shown.text;
  for (const char* part : {"example.cubic", "steps", "last_signal", "zero terminal SNR"})
    EXPECT_NE(shown.text.find(part), std::string::npos) << part << " is missing in\n" << shown.text;
#else
  GTEST_SKIP() << "this build has no perrin program";
#endif
}

}  // namespace
}  // namespace perrin::testing
