#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/loader/private_folder.hpp"
#include "host/loader/search.hpp"
#include "tests/unit/cache/scratch.hpp"

namespace perrin::loader {
namespace {

using test::Scratch;

mode_t mode_of(const std::filesystem::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST(PrivateFolder, IsMadeForItsOwnerAlone) {
  const Scratch scratch;
  const auto folder = cache_folder("index");
  EXPECT_EQ(folder, scratch.path / "cache/perrin/index");
  EXPECT_EQ(mode_of(folder), 0700u);
  EXPECT_EQ(mode_of(folder.parent_path()) & 022, 0u);
}

TEST(PrivateFolder, RightsThatOthersHadAreTakenAway) {
  const Scratch scratch;
  const auto folder = cache_folder("index");
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(folder.parent_path().c_str(), 0777), 0);
  EXPECT_EQ(cache_folder("index"), folder);
  EXPECT_EQ(mode_of(folder), 0700u);
  EXPECT_EQ(mode_of(folder.parent_path()), 0755u);
}

TEST(PrivateFolder, ALinkAndAnotherUsersFolderAreRefused) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path / "cache");
  std::filesystem::create_directories(scratch.path / "elsewhere");
  std::filesystem::create_symlink(scratch.path / "elsewhere", scratch.path / "cache/perrin");
  EXPECT_NE(cache_root().problem.find("or a link"), std::string::npos) << cache_root().problem;
  EXPECT_TRUE(cache_folder("index").empty());
  std::filesystem::remove(scratch.path / "cache/perrin");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(::chown(cache_root().path.c_str(), 12345, 12345), 0);
  EXPECT_NE(cache_root().problem.find("another user's"), std::string::npos) << cache_root().problem;
}

TEST(PrivateFolder, WithoutHomeThereIsNone) {
  const Scratch scratch;
  const std::string home = ::getenv("HOME") ? ::getenv("HOME") : "";
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(cache_root().path, "");
  EXPECT_NE(cache_root().problem, "");
  EXPECT_TRUE(default_places().cache.empty());
  if (!home.empty()) ::setenv("HOME", home.c_str(), 1);
}

TEST(PrivateFile, IsReadOnlyWhereNobodyElseCanHaveWrittenIt) {
  const Scratch scratch;
  const auto file = cache_folder("index") / "a";
  ASSERT_TRUE(write_private(file, "text"));
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(read_private(file), "text");
  ::chmod(file.c_str(), 0620);
  EXPECT_FALSE(read_private(file));
  ::chmod(file.c_str(), 0600);
  std::filesystem::create_symlink(file, file.string() + "-link");
  EXPECT_FALSE(read_private(file.string() + "-link"));
  ASSERT_EQ(::mkfifo((file.string() + "-fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_private(file.string() + "-fifo"));
  if (::geteuid() == 0 && ::chown(file.c_str(), 12345, 12345) == 0) EXPECT_FALSE(read_private(file));
}

TEST(PrivateFile, LeftoversGoUnlessTheyAreHeld) {
  const Scratch scratch;
  const auto folder = cache_folder("latents");
  const auto dead = folder / "dead.part", alive = folder / "alive.part", whole = folder / "whole.latents";
  for (const auto& file : {dead, alive, whole}) ASSERT_TRUE(write_private(file, "x"));
  const int held = ::open(alive.c_str(), O_RDWR);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  remove_leftovers(folder);
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_TRUE(std::filesystem::exists(alive));
  EXPECT_TRUE(std::filesystem::exists(whole));
  ::close(held);
}

}  // namespace
}  // namespace perrin::loader
