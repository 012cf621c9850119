#include "host/runs/git.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "host/runs/git_index.hpp"
#include "tests/unit/cache/scratch.hpp"

namespace perrin::runs {
namespace {

// A repository made by git itself, which is also the other side of every comparison.
class Git : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("git --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "git is not installed";
    git("init -q");
    git("config user.name n");
    git("config user.email e");
    for (const char* name : {"a.txt", "a/b.txt", "a/c/d.txt", "a-b/e", "z"})
      scratch.write(std::string("tree/") + name, name);
    git("add -A");
    git("commit -q -m m");
  }
  std::string git(const std::string& arguments) const {
    const auto out = scratch.path / "out";
    const std::string line = "mkdir -p " + (scratch.path / "tree").string() + " && cd " +
                             (scratch.path / "tree").string() + " && git " + arguments + " >" + out.string() + " 2>&1";
    EXPECT_EQ(std::system(line.c_str()), 0) << line;
    std::ifstream in(out);
    std::string text;
    std::getline(in, text);
    return text;
  }
  std::map<std::string, std::string> facts(const std::string& folder = "tree") const {
    const auto all = git_facts(scratch.path / folder);
    return {all.begin(), all.end()};
  }
  test::Scratch scratch;
};

TEST_F(Git, CommitAndTreeAreGitsOwn) {
  for (const char* version : {"2", "4"}) {
    git(std::string("update-index --index-version ") + version);
    const auto found = facts("tree/a/c");
    EXPECT_EQ(found.at("git_commit"), git("rev-parse HEAD"));
    EXPECT_EQ(found.at("git_tree"), git("rev-parse HEAD^{tree}")) << "index version " << version;
    EXPECT_EQ(found.count("git_changed"), 0u);
  }
  git("pack-refs --all");
  EXPECT_EQ(facts().at("git_commit"), git("rev-parse HEAD"));
  git("checkout -q --detach");
  EXPECT_EQ(facts().at("git_commit"), git("rev-parse HEAD"));
  git("worktree add -q ../other -b other");
  EXPECT_EQ(facts("other").at("git_tree"), git("rev-parse other^{tree}"));
}

TEST_F(Git, WhatIsStagedIsAnotherTreeAndWhatIsNotIsNamed) {
  scratch.write("tree/staged", "s");
  git("add staged");
  EXPECT_EQ(facts().at("git_tree"), git("write-tree"));
  scratch.write("tree/a/b.txt", "secret = 12345");
  std::filesystem::remove(scratch.path / "tree/z");
  const auto found = facts();
  EXPECT_EQ(found.at("git_changed"), "a/b.txt, z (gone)");
  const std::string sum = found.at("git_changes_sha256");
  for (const auto& [key, value] : found) EXPECT_EQ(value.find("12345"), std::string::npos) << key;
  scratch.write("tree/a/b.txt", "secret = 12346");
  EXPECT_NE(facts().at("git_changes_sha256"), sum);
}

TEST_F(Git, AFileThatWasOnlyTouchedIsNotChanged) {
  scratch.write("tree/a/b.txt", "a/b.txt");
  EXPECT_EQ(facts().count("git_changed"), 0u);
}

TEST(GitIndex, DamageAndOtherFormatsGiveNothing) {
  EXPECT_FALSE(parse_index(""));
  EXPECT_FALSE(parse_index("DIRC"));
  EXPECT_FALSE(parse_index(std::string("DIRC\0\0\0\2\xff\xff\xff\xff", 12) + std::string(40, '\0')));
  std::string link = std::string("DIRC\0\0\0\2\0\0\0\0link\0\0\0\0", 20) + std::string(20, '\0');
  EXPECT_FALSE(parse_index(link)) << "a split index";
  link.replace(12, 4, "TREE");
  EXPECT_TRUE(parse_index(link));
}

TEST(GitFacts, OutsideOfAnyRepositoryAreNone) { EXPECT_TRUE(git_facts("/proc").empty()); }

}  // namespace
}  // namespace perrin::runs
