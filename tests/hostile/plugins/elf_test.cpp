// The ELF reader on damaged files: an answer or a perrin::Error, whatever the bytes.
#include "host/loader/elf.hpp"

#include <elf.h>
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

template <class T>
void put(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// 2000 symbols of one name, which would be 1000 times the file in memory.
TEST(Elf, of_one_long_name_for_all_symbols) {
  const Elf64_Sym symbol{0, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0, 0};
  const std::string names = std::string(1 << 16, 'n') + '\0';
  const uint64_t symbols = sizeof(Elf64_Ehdr), size = 2000 * sizeof symbol;
  Elf64_Ehdr header{};
  std::copy_n(good().data(), sizeof header, reinterpret_cast<char*>(&header));
  header.e_phnum = 0, header.e_shoff = symbols + size + names.size(), header.e_shnum = 2;
  std::string bytes;
  put(bytes, header);
  for (int i = 0; i < 2000; ++i) put(bytes, symbol);
  bytes += names;
  put(bytes, Elf64_Shdr{0, SHT_DYNSYM, 0, 0, symbols, size, 1, 0, 8, sizeof symbol});
  put(bytes, Elf64_Shdr{0, SHT_STRTAB, 0, 0, symbols + size, names.size(), 0, 0, 1, 0});
  EXPECT_FALSE(accepted(bytes));
}

// Ubuntu's compilers put a segment of 8-byte alignment with NT_GNU_PROPERTY_TYPE_0 before the others (System V ABI,
// AMD64 supplement, "program property"): 12 bytes of header, "GNU", then 16 bytes at once, without padding between.
TEST(Elf, with_a_property_note_of_eight_byte_alignment) {
  Elf64_Ehdr header{};
  std::copy_n(good().data(), sizeof header, reinterpret_cast<char*>(&header));
  header.e_phoff = sizeof header, header.e_phnum = 2, header.e_shoff = 0, header.e_shnum = 0;
  const uint64_t property = sizeof header + 2 * sizeof(Elf64_Phdr), perrin = property + 32;
  const uint64_t size = sizeof(Elf64_Nhdr) + 8 + sizeof(perrin_note);
  std::string bytes;
  put(bytes, header);
  put(bytes, Elf64_Phdr{PT_NOTE, PF_R, property, property, property, 32, 32, 8});
  put(bytes, Elf64_Phdr{PT_NOTE, PF_R, perrin, perrin, perrin, size, size, 4});
  put(bytes, Elf64_Nhdr{4, 16, 5});
  bytes += std::string("GNU\0", 4) + std::string(16, '\1');
  put(bytes, Elf64_Nhdr{7, sizeof(perrin_note), 1});
  bytes += std::string("Perrin\0\0", 8);
  perrin_note note{};
  note.abi_major = 41;
  put(bytes, note);
  const auto elf = loader::read_elf({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "made.so");
  ASSERT_TRUE(elf.note);
  EXPECT_EQ(elf.note->abi_major, 41u);
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
