// The ELF reader on damaged files: an answer or a perrin::Error, whatever the bytes.
#include "host/loader/elf.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/hostile/plugins/scratch.hpp"

namespace perrin::test {
namespace {

// Reads and says whether the bytes were accepted.
bool accepted(const std::string& bytes) try {
  auto elf = loader::read_elf({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "damaged.so");
  return elf.note.has_value();
} catch (const Error& error) {
  EXPECT_EQ(error.where, "damaged.so");
  EXPECT_FALSE(std::string(error.what()).empty());
  return false;
}

std::string good() { return read_bytes(fs::path(PERRIN_FIXTURES) / "good.so"); }

TEST(Elf, of_a_plugin_that_calls_exit) {
  const std::string bytes = read_bytes(fs::path(PERRIN_FIXTURES) / "later-leave.so");
  auto elf = loader::read_elf({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "later-leave.so");
  ASSERT_TRUE(elf.note);
  EXPECT_EQ(elf.note->abi_major, PERRIN_ABI_MAJOR);
  EXPECT_EQ(elf.note->tier, PERRIN_TIER_A);
  EXPECT_EQ(elf.exports, std::vector<std::string>{"perrin_entry"});
  EXPECT_TRUE(elf.unique.empty());
  EXPECT_NE(std::find(elf.needed.begin(), elf.needed.end(), "libc.so.6"), elf.needed.end());
  EXPECT_NE(std::find(elf.imports.begin(), elf.imports.end(), "exit"), elf.imports.end());
}

TEST(Elf, cut_at_every_length) {
  const std::string bytes = good();
  const size_t step = std::max<size_t>(1, bytes.size() / 8192);
  size_t count = 0, whole = 0;
  for (size_t n = 0; n < bytes.size(); n += n < 4096 ? 1 : step) ++count, whole += accepted(bytes.substr(0, n));
  std::printf("%zu lengths of %zu bytes, %zu accepted\n", count, bytes.size(), whole);
  EXPECT_EQ(whole, 0u) << "a file without its section headers at the end is not whole";
}

TEST(Elf, with_every_bit_of_its_headers_flipped) {
  std::string bytes = good();
  const size_t n = std::min<size_t>(bytes.size(), 4096);
  size_t refused = 0;
  for (size_t bit = 0; bit < n * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    refused += !accepted(bytes);
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
  std::printf("%zu flips, %zu refused\n", n * 8, refused);
  EXPECT_GT(refused, 400u);
}

TEST(Elf, with_random_words_in_random_places) {
  std::mt19937_64 random(1);
  const std::string original = good();
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = original;
    for (uint64_t i = 0, n = 1 + random() % 4; i < n; ++i) {
      const size_t at = round % 2 == 0 ? random() % 512 : random() % (bytes.size() - 8);
      const uint64_t word = random() >> random() % 64;
      std::copy_n(reinterpret_cast<const char*>(&word), 8, bytes.begin() + static_cast<ptrdiff_t>(at));
    }
    accepted(bytes);
  }
}

}  // namespace
}  // namespace perrin::test
