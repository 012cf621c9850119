#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "host/base/digest.hpp"
#include "host/base/error.hpp"
#include "host/loader/file_sums.hpp"
#include "host/store/latent_file.hpp"
#include "tests/unit/cache/scratch.hpp"

namespace perrin::loader {
namespace {

using test::Scratch;

// The sums, and how many bytes had to be read for them.
std::pair<std::vector<std::string>, uint64_t> sums(const std::vector<std::filesystem::path>& files) {
  uint64_t read = 0;
  std::vector<std::string> all;
  for (const FileSum& sum : file_sums("set", files, [&](uint64_t, uint64_t total) { read = total; }))
    all.push_back(sum.sha256);
  return {all, read};
}

TEST(Digest, InPiecesIsThePublishedSum) {  // FIPS 180-2, B.1 and B.3
  Digest hash;
  for (int i = 0; i < 1'000'000 / 50; ++i) hash.add(std::string(50, 'a'));
  EXPECT_EQ(hex_of(hash.bytes()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Xxh64, HasThePublishedValues) {  // xxHash's own test vectors, seed 0, as python-xxhash lists them
  const auto of = [](std::string_view text) { return store::xxh64(std::as_bytes(std::span(text))); };
  EXPECT_EQ(of(""), 0xef46db3751d8e999u);
  EXPECT_EQ(of("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(of("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(of("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}

TEST(LatentPage, IsReadBackAndDamageIsSeen) {
  const store::LatentHeader header{std::string(64, 'a'), "shapes by autoencoder", {96, 2, 16, 16}, 0xfedcba9876543210u};
  std::string page = store::latent_page(header);
  EXPECT_EQ(page.size(), store::kLatentPage);
  EXPECT_EQ(store::latent_header(page), header);
  page[2] ^= 1;
  EXPECT_FALSE(store::latent_header(page));
  EXPECT_FALSE(store::latent_header(std::string(store::kLatentPage, '\0')));
}

TEST(FileSums, AreRememberedOnceTheFilesHaveSettled) {
  const Scratch scratch;
  std::filesystem::path a, b;
  decltype(sums({})) first, second;
  std::chrono::system_clock::time_point written;
  do {  // again where the files were two seconds old at the second look: a busy machine, or a clock that was set
    a = scratch.write("data/a", "one"), b = scratch.write("data/b", "three");
    written = std::chrono::system_clock::now();
    first = sums({a, b}), second = sums({a, b});
  } while (std::chrono::system_clock::now() - written > std::chrono::seconds(1));
  EXPECT_EQ(first.first, (std::vector{sha256_hex("one"), sha256_hex("three")}));
  EXPECT_EQ(second.second, 8u) << "a file that has just changed may change again and look the same";
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  EXPECT_EQ(sums({a, b}).second, 8u);
  const auto again = sums({a, b});
  EXPECT_EQ(again.second, 0u);
  EXPECT_EQ(again.first, first.first);
}

TEST(FileSums, AnEditOfTheSameSizeAndTimeIsSeen) {
  const Scratch scratch;
  const auto a = scratch.write("data/a", "one"), b = scratch.write("data/b", "three");
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  sums({a, b});
  struct stat before {};
  ASSERT_EQ(::stat(a.c_str(), &before), 0);
  scratch.write("data/a", "two");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, a.c_str(), times, 0), 0);
  const auto [after, read] = sums({a, b});
  EXPECT_EQ(after[0], sha256_hex("two"));
  EXPECT_EQ(read, 3u) << "the other file is not read again";
}

TEST(FileSums, WithoutACacheFolderAllAreRead) {
  const Scratch scratch;
  const auto a = scratch.write("data/a", "one");
  ::setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
  EXPECT_EQ(sums({a}).first[0], sha256_hex("one"));
  EXPECT_EQ(sums({a}).second, 3u);
}

TEST(FileSums, WhatIsNoFileIsNamedAndStoppingStops) {
  const Scratch scratch;
  const auto fifo = scratch.path / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const auto& file : {fifo, scratch.path, scratch.path / "absent"}) {
    try {
      file_sums("set", {file}, {});
      FAIL() << file;
    } catch (const Error& error) {
      EXPECT_EQ(error.where, file.string());
    }
  }
  const auto stop = [](uint64_t, uint64_t) { throw Error("stopped"); };
  EXPECT_THROW(file_sums("set", {scratch.write("large", std::string(1 << 24, 'x'))}, stop), Error);
}

}  // namespace
}  // namespace perrin::loader
