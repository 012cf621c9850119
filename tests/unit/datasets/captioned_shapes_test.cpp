// captioned-shapes: its fields, captions and labels. Seed 0 where none is given.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

#include "tests/unit/datasets/shapes_seen.hpp"

namespace perrin::testing {
namespace {

services::Component shapes(Values more = {}) { return builtin("dataset", "captioned-shapes", std::move(more)); }

// What a caption says, by its words; -1 where it says nothing.
struct Said {
  int64_t shape = -1, colour = -1, size = -1, position = -1, count = -1, background = -1;
};

int64_t index_in(const std::vector<std::string>& list, const std::string& word) {
  const auto found = std::find(list.begin(), list.end(), word);
  return found == list.end() ? -1 : found - list.begin();
}

Said parse(const std::string& caption) {
  Said said;
  std::istringstream words(caption);
  std::string word;
  words >> word;
  said.count = word == "three" ? 3 : word == "two" ? 2 : word == "a" || word == "an" ? 1 : -1;
  while (words >> word) {
    std::string one = said.count == 1 ? word : word.substr(0, word.size() - (word == "crosses" ? 2 : 1));
    if (index_in(kShapes, one) >= 0) said.shape = index_in(kShapes, one);
    if (index_in(kColours, word) >= 0) said.colour = index_in(kColours, word);
    if (index_in(kSizes, word) >= 0) said.size = index_in(kSizes, word);
    if (index_in(kPositions, word) >= 0) said.position = index_in(kPositions, word);
    if (index_in(kBackgrounds, word) >= 0) said.background = index_in(kBackgrounds, word);
  }
  return said;
}

TEST(CaptionedShapes, FieldsAreTheImageTheTruthsAndTheCaption) {
  const auto fields = fields_of(shapes({{"max_count", int64_t{2}}, {"caption_bytes", int64_t{80}}}));
  std::string text;
  for (const perrin_field& f : fields) text += name_of(f) + " " + std::to_string(f.n_classes) + ", ";
  EXPECT_EQ(text, "image 0, shape 6, colour 8, size 2, position 5, count 2, background 3, caption 0, ");
  EXPECT_EQ(fields[0].spec.dtype, PERRIN_UINT8);
  EXPECT_EQ(std::vector<int64_t>(fields[0].spec.sizes, fields[0].spec.sizes + 3), (std::vector<int64_t>{3, 32, 32}));
  EXPECT_DOUBLE_EQ(255 * fields[0].scale + fields[0].offset, 1);
  EXPECT_EQ(fields[7].spec.sizes[0], 80);
  const auto one = fields_of(shapes({{"labels", std::string("object")}}));
  ASSERT_EQ(one.size(), 3u);
  EXPECT_EQ(name_of(one[1]) + std::to_string(one[1].n_classes), "object48");
}

TEST(CaptionedShapes, CaptionsSayNothingButTheTruth) {
  constexpr size_t n = 20000;
  const Shown shown = read_shown(shapes(), first_indices(n));
  std::map<std::string, int> forms;
  for (size_t i = 0; i < n; ++i) {
    const std::string& caption = shown.caption[i];
    const Said said = parse(caption);
    const auto agrees = [&](const char* name, int64_t value) {
      return value == -1 || value == shown.truth.at(name)[i];
    };
    ASSERT_EQ(said.shape, shown.truth.at("shape")[i]) << caption;
    ASSERT_EQ(said.colour, shown.truth.at("colour")[i]) << caption;
    ASSERT_EQ(said.count, shown.truth.at("count")[i] + 1) << caption;
    ASSERT_TRUE(agrees("size", said.size) && agrees("position", said.position) && agrees("background", said.background))
        << caption;
    ASSERT_EQ(caption.find("an ") == 0, caption.find("an orange") == 0) << caption;
    ++forms[std::string(said.size < 0 ? "" : "size ") + (said.position < 0 ? "" : "position ") +
            (said.background < 0 ? "" : "background")];
  }
  ASSERT_EQ(forms.size(), 4u);
  EXPECT_NEAR(forms["size position background"], n / 2.0, 4 * std::sqrt(n / 4.0));
  for (const char* form : {"size background", "position ", ""})
    EXPECT_NEAR(forms[form], n / 6.0, 4 * std::sqrt(n * 5 / 36.0)) << form;
}

TEST(CaptionedShapes, EveryCombinationIsEquallyProbable) {
  constexpr size_t n = 36000;
  const Shown shown = read_shown(shapes(), first_indices(n));
  std::map<std::vector<int64_t>, double> geometry, looks;
  for (size_t i = 0; i < n; ++i) {
    const auto truth = [&](const char* name) { return shown.truth.at(name)[i]; };
    ++geometry[{truth("shape"), truth("size"), truth("position"), truth("count")}];
    ++looks[{truth("colour"), truth("background"), truth("shape")}];
  }
  ASSERT_EQ(geometry.size(), 6u * 2 * 5 * 3);
  ASSERT_EQ(looks.size(), 8u * 3 * 6);
  for (const auto* cells : {&geometry, &looks}) {
    double chi2 = 0;
    const double expected = double(n) / double(cells->size()), free = double(cells->size()) - 1;
    for (const auto& cell : *cells) chi2 += std::pow(cell.second - expected, 2) / expected;
    EXPECT_LT(std::abs(chi2 - free), 4 * std::sqrt(2 * free)) << chi2;  // mean and deviation of chi^2
  }
}

TEST(CaptionedShapes, ASampleIsAFunctionOfSeedSplitAndIndex) {
  const auto dataset = shapes({{"labels", std::string("object")}});
  const std::vector<uint64_t> indices = first_indices(200);
  const Shown whole = read_shown(dataset, indices), again = read_shown(shapes(), indices);
  EXPECT_EQ(whole.image, again.image);
  EXPECT_EQ(whole.caption, again.caption);
  for (size_t i = 0; i < 200; ++i)
    EXPECT_EQ(whole.truth.at("object")[i], 8 * again.truth.at("shape")[i] + again.truth.at("colour")[i]);
  std::vector<Shown> single(200);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (size_t i = 0; i < 200; ++i)
        if (const size_t at = (i * 7) % 200; at % 4 == k) single[at] = read_shown(dataset, {at});
    });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(std::equal(single[i].image.begin(), single[i].image.end(), &whole.image[i * 3072])) << i;
    EXPECT_EQ(single[i].caption[0], whole.caption[i]);
  }
  for (const Values& other : {Values{{"split", std::string("test")}}, Values{{"seed", int64_t{1}}}}) {
    const Shown differs = read_shown(shapes(other), indices);
    int same = 0;
    for (size_t i = 0; i < 200; ++i)
      same += std::equal(&differs.image[i * 3072], &differs.image[i * 3072] + 3072, &whole.image[i * 3072]);
    EXPECT_EQ(same, 0);
  }
}

TEST(CaptionedShapes, CountsAndCutsAsConfigured) {
  const auto dataset = shapes({{"samples", int64_t{5}}, {"caption_bytes", int64_t{6}}, {"max_count", int64_t{1}}});
  EXPECT_EQ(count_of(dataset), 5u);
  const Shown shown = read_shown(dataset, first_indices(5));
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(shown.caption[i].size(), 6u);
    EXPECT_EQ(shown.caption[i][0], 'a');
    EXPECT_EQ(shown.truth.at("count")[i], 0);
  }
  EXPECT_NE(message_of([&] { read_shown(dataset, {5}); }).find("sample 5 of 5"), std::string::npos);
}

TEST(CaptionedShapes, Speed) {
  for (const bool antialias : {false, true}) {
    const auto dataset = shapes({{"antialias", antialias}});
    const std::vector<uint64_t> indices = first_indices(20000);
    const auto start = std::chrono::steady_clock::now();
    const Shown shown = read_shown(dataset, indices);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%s: %.0f images/s\n", antialias ? "antialiased" : "sharp", 20000 / took.count());
    EXPECT_EQ(shown.caption.size(), indices.size());
  }
}

}  // namespace
}  // namespace perrin::testing
