// Captions of fashion-mnist by template. Seeds 0 and 1.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/unit/datasets/shown.hpp"

namespace perrin::testing {
namespace {

// Class names of 1708.07747 Table 2 in small letters, as far as a caption has them.
const std::vector<std::string> kClasses = {"t-shirt", "trouser", "pullover", "dress", "coat",
                                           "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
constexpr uint64_t kCount = 3000;

std::string number(uint32_t n) {
  std::string bytes;
  for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(n >> shift);
  return bytes;
}

// Sample i is black and of class i % 10.
void write_fashion(const TemporaryFolder& folder) {
  std::string labels = number(0x801) + number(kCount);
  for (uint64_t i = 0; i < kCount; ++i) labels += static_cast<char>(i % 10);
  write_file(folder / "train-labels-idx1-ubyte", labels);
  write_file(folder / "train-images-idx3-ubyte",
             number(0x803) + number(kCount) + number(28) + number(28) + std::string(kCount * 784, '\0'));
}

services::Component captioned(const TemporaryFolder& folder, Values more = {}) {
  more.emplace("captions", std::string("templates"));
  more["folder"] = folder.string();
  return builtin("dataset", "fashion-mnist", std::move(more));
}

TEST(FashionCaptions, NameTheClassInSixTemplates) {
  TemporaryFolder folder;
  write_fashion(folder);
  const auto dataset = captioned(folder);
  EXPECT_EQ(name_of(fields_of(dataset).back()), "caption");
  const Shown shown = read_shown(dataset, first_indices(kCount));
  std::map<std::string, int> templates;
  std::vector<std::set<std::string>> of_class(10);
  for (uint64_t i = 0; i < kCount; ++i) {
    std::string caption = shown.caption[i];
    const std::string& name = kClasses[i % 10];
    const size_t at = caption.find(i % 10 == 6 ? " shirt" : name);
    ASSERT_NE(at, std::string::npos) << caption;
    ASSERT_EQ(caption.find("an ankle") != std::string::npos, i % 10 == 9) << caption;
    of_class[i % 10].insert(caption);
    if (i % 10 == 8) ++templates[caption.replace(at, name.size(), "#")];
  }
  for (const auto& captions : of_class) EXPECT_EQ(captions.size(), 6u);
  for (const auto& [text, n] : templates) EXPECT_NEAR(n, kCount / 60.0, 4 * std::sqrt(kCount / 10.0 * 5 / 36)) << text;
}

TEST(FashionCaptions, AreAFunctionOfSeedAndIndex) {
  TemporaryFolder folder;
  write_fashion(folder);
  const auto dataset = captioned(folder), other = captioned(folder, {{"caption_seed", int64_t{1}}});
  const Shown whole = read_shown(dataset, first_indices(60)), differs = read_shown(other, first_indices(60));
  for (uint64_t i : {59, 3, 17}) EXPECT_EQ(read_shown(dataset, {i}).caption[0], whole.caption[i]);
  EXPECT_NE(whole.caption, differs.caption);
  EXPECT_EQ(whole.image, differs.image);
}

TEST(FashionCaptions, AreLeftOutUnlessAskedFor) {
  TemporaryFolder folder;
  write_fashion(folder);
  EXPECT_EQ(fields_of(captioned(folder, {{"captions", std::string("none")}})).size(), 2u);
  EXPECT_EQ(read_shown(captioned(folder, {{"caption_bytes", int64_t{4}}}), {0}).caption[0].size(), 4u);
}

}  // namespace
}  // namespace perrin::testing
