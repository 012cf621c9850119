// Files that no author writes: every one loads or ends in an Error with printable text; none crashes or hangs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "host/config/load.hpp"
#include "host/config/text.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

const std::string kGood =
    std::string("# comment é\r\n") + kMinimal +
    "down = \"avg\"\nnote = '''a\nb'''\nscales = [1, 2.5e-3,\n  -0.0]\n[conditioner]\nuse = \"class-label\"\n"
    "[[stage]]\nname = \"one\"\noptimizer = { use = \"adamw\", lr = 2e-4 }\n  [[stage.loss]]\n  use = \"l2\"\n"
    "[[stage]]\nname = \"two\"\ntrain = [\"denoiser\"]\n[samples]\n\"count\" = 0x10\n";

// "" when it loads, else the message; other exceptions fail the test.
std::string outcome(const std::string& text, const std::vector<std::string>& set = {}) {
  try {
    const Loaded loaded = load_text(text, "x.toml", set, catalogue());
    EXPECT_EQ(load_text(loaded.resolved_toml, "r.toml", {}, catalogue()).hash, loaded.hash) << text;
    return "";
  } catch (const Diagnostics& fault) {
    const std::string message = fault.message();
    EXPECT_TRUE(is_utf8(message));
    EXPECT_EQ(message.find_first_of(std::string("\0\x01\x02\x07\x08\x0b\x0c\x0d\x1b\x7f", 10)), std::string::npos);
    EXPECT_TRUE(message.ends_with("nothing was run.\n")) << message;
    EXPECT_LT(message.size(), 100000U);
    return message;
  }
}

std::string repeated(const std::string& piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Hostile, AFileCutAtEveryByte) {
  ASSERT_EQ(outcome(kGood), "");
  int loaded = 0;
  for (size_t size = 0; size < kGood.size(); ++size) loaded += outcome(kGood.substr(0, size)).empty() ? 1 : 0;
  EXPECT_GT(loaded, 0);
  EXPECT_LT(loaded, static_cast<int>(kGood.size()) / 2) << "most cuts must be noticed";
}

TEST(Hostile, RandomBytesInPlaceOfGoodOnes) {
  const std::string marks = "[]{}=.,\"'#\n\r\t \\\0\x7f\xff\xc3 0aZ_-";
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 engine(seed);
    std::string text = kGood;
    for (unsigned i = 0; i <= seed % 4; ++i) {
      const size_t at = engine() % text.size();
      const char byte = marks[engine() % marks.size()];
      switch (engine() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1 + engine() % 8);
          break;
      }
    }
    SCOPED_TRACE("seed " + std::to_string(seed));
    outcome(text);
  }
}

TEST(Hostile, RandomOverrides) {
  const std::vector<std::string> parts = {"stage",     ".",  "train",      "loss",     "=",     "0",      "\"",
                                          "[",         "{",  "]",          "}",        "use",   "l2",     " ",
                                          "'",         "\n", "experiment", "seed",     "1e400", "é",      "\xff",
                                          "optimizer", "lr", "-",          "denoiser", "#",     "include"};
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    std::mt19937 engine(seed);
    std::string text;
    for (unsigned i = 0, count = engine() % 9; i < count; ++i) text += parts[engine() % parts.size()];
    SCOPED_TRACE("seed " + std::to_string(seed) + " --set " + printable(text));
    outcome(kGood, {text});
  }
}

TEST(Hostile, NestingIsBounded) {
  EXPECT_NE(outcome("a = " + repeated("[", 200000)).find("lists are nested more than 32 deep"), std::string::npos);
  EXPECT_NE(outcome("a = " + repeated("{a=", 100000)).find("x.toml:1:"), std::string::npos);
  EXPECT_NE(outcome(repeated("a.", 200000) + "a = 1").find("a key has more than 32 dotted parts"), std::string::npos);
  EXPECT_NE(outcome("[" + repeated("a . ", 100000) + "a]").find("a key has more than 32 dotted parts"),
            std::string::npos);
  EXPECT_NE(outcome("x = {" + repeated("\"a\".", 100000) + "a=1}").find("a key has more than 32 dotted parts"),
            std::string::npos);
  EXPECT_NE(outcome(kGood, {repeated("a.", 100000) + "a=1"}).find("a key has more than 32 dotted parts"),
            std::string::npos);
  EXPECT_EQ(outcome("# " + repeated("a.", 100) + "\n" + kGood + "# '\n"), "") << "dots in a comment are no key";
  EXPECT_EQ(outcome(kMinimal + ("note = \"" + repeated("a.", 100) + "\\\"" + repeated(".", 100)) + "\"\n"), "")
      << "nor in a text";
}

// toml++ alone: an assertion, or undefined behaviour, on each of them.
TEST(Hostile, WhatTheParserDoesNotTakeIsKeptFromIt) {
  EXPECT_NE(outcome("[\na = 1").find("x.toml:1:2: error: TOML syntax: expected bare key"), std::string::npos)
      << outcome("[\na = 1");
  EXPECT_NE(
      outcome("[[a\xef\xbb\xb7]]").find("x.toml:1:4: error: TOML syntax: a character beyond ASCII outside of quotes"),
      std::string::npos);
  EXPECT_NE(outcome("é = 1").find("x.toml:1:1: error: TOML syntax: a character beyond ASCII"), std::string::npos);
  EXPECT_NE(outcome("a =\xc2\xa0"
                    "1")
                .find("x.toml:1:4: error: TOML syntax: a character beyond ASCII"),
            std::string::npos);
  EXPECT_EQ(outcome(kMinimal + std::string("note = \"\"\"\"é\"\"\"\"\" # é\ndropout = 0.5 # '\n[samples] # é\n")), "");
}

TEST(Hostile, ThousandsOfErrorsStayReadable) {
  std::string text = kMinimal;
  for (int i = 0; i < 20000; ++i) text += "k" + std::to_string(i) + " = 1\n";
  const std::string message = outcome(text);
  EXPECT_NE(message.find("… and 19900 more\n20000 errors in x.toml"), std::string::npos)
      << message.substr(message.size() - 200);
}

TEST(Hostile, LongLinesAndNamesAreCut) {
  const std::string message = outcome(kMinimal + ("\"" + std::string(100000, 'k') + "\" = 1\n"));
  EXPECT_NE(message.find("unknown key \"kkk"), std::string::npos);
  EXPECT_LT(message.size(), 2000U);
  EXPECT_LT(outcome(kMinimal + ("note = [" + std::string(100000, '1') + "\n")).size(), 2000U);
}

TEST(Hostile, ControlCharactersNeverReachTheTerminal) {
  EXPECT_NE(outcome("\"a\\u001b[31m\" = 1").find("unknown key \"a?[31m\""), std::string::npos);
  EXPECT_NE(outcome("a = \"\x1b[31m\"").find("x.toml:1:6: error: TOML syntax"), std::string::npos);
  EXPECT_NE(outcome(std::string("a = 1\0b", 7)).find("x.toml:1:6: error: TOML syntax"), std::string::npos);
}

class HostileFile : public ::testing::Test {
 protected:
  HostileFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "perrin-hostile-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~HostileFile() override { std::filesystem::remove_all(folder_); }

  static std::string fault_of(const std::filesystem::path& file) {
    try {
      load(file, {}, catalogue());
    } catch (const Diagnostics& fault) {
      return fault.message();
    } catch (const Error& fault) {
      EXPECT_EQ(fault.exit, Exit::usage);
      return fault.message();
    }
    return "loaded";
  }

  std::filesystem::path folder_;
};

TEST_F(HostileFile, HugeEndlessAndOddFiles) {
  std::ofstream(folder_ / "huge.toml") << "a = 1\n";
  std::filesystem::resize_file(folder_ / "huge.toml", 40ULL << 30);
  EXPECT_NE(fault_of(folder_ / "huge.toml").find("is larger than 512 KiB"), std::string::npos);
  EXPECT_NE(fault_of("/dev/zero").find("is no file but a pipe, a socket or a device"), std::string::npos);
  EXPECT_NE(fault_of(folder_).find("is a folder, not a TOML file"), std::string::npos);
  EXPECT_NE(fault_of(folder_ / "none" / "x.toml").find("no file"), std::string::npos);
  EXPECT_NE(fault_of("").find("no file"), std::string::npos);
  EXPECT_NE(fault_of("/dev/null").find("is no file but a pipe, a socket or a device"), std::string::npos);
  EXPECT_NE(fault_of(std::string(5000, 'x')).find("cannot read"), std::string::npos);
  std::filesystem::create_symlink("loop.toml", folder_ / "loop.toml");
  EXPECT_NE(fault_of(folder_ / "loop.toml").find("cannot read"), std::string::npos);
}

TEST_F(HostileFile, AFileWithoutReadPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  std::ofstream(folder_ / "x.toml") << kGood;
  std::filesystem::permissions(folder_ / "x.toml", std::filesystem::perms::none);
  EXPECT_NE(fault_of(folder_ / "x.toml").find("Permission denied"), std::string::npos);
}

TEST_F(HostileFile, AnIncludedFileThatIsBinary) {
  std::ofstream(folder_ / "a.toml") << "include = \"b.toml\"\n";
  std::ofstream(folder_ / "b.toml", std::ios::binary) << std::string(
      "\x7f"
      "ELF\x02\x01\x01\0\0\0\xff\xfe",
      12);
  EXPECT_NE(fault_of(folder_ / "a.toml").find("b.toml:1:"), std::string::npos) << fault_of(folder_ / "a.toml");
}

TEST_F(HostileFile, TwoLargeFilesMergeInReasonableTime) {
  std::string keys;
  for (int i = 0; i < 5000; ++i) keys += "k" + std::to_string(i) + " = 1\n";
  std::ofstream(folder_ / "b.toml") << "[denoiser]\nuse = \"mlp\"\n" << keys;
  std::ofstream(folder_ / "a.toml") << "include = \"b.toml\"\n[denoiser]\n" << keys;
  EXPECT_NE(fault_of(folder_ / "a.toml").find("5003 errors"), std::string::npos);
}

}  // namespace
}  // namespace perrin::config::test
