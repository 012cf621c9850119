// Augmentation is a function of (seed, position): whatever the batch size and the loader threads.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <set>

#include "host/data/pipeline.hpp"
#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

constexpr int kSide = 32;

// One CIFAR record whose value is its column in red, its row in green.
services::Component one_image(const TemporaryFolder& folder, bool flip, int64_t pad) {
  std::string bytes(1, '\0');
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) bytes += static_cast<char>(c == 0 ? x + 1 : y + 1);
  write_file(folder / "test_batch.bin", bytes);
  return builtin("dataset", "cifar10",
                 {{"folder", folder.string()}, {"split", std::string("test")}, {"flip", flip}, {"pad", pad}});
}

TEST(Augmentation, WithoutItTrainingSeesWhatEvaluationSees) {
  TemporaryFolder folder;
  const auto dataset = one_image(folder, false, 0);
  for (uint64_t position : {0, 1, 12345})
    EXPECT_EQ(read_sample(dataset, 0, &position).image, read_sample(dataset, 0).image);
}

// 4,000 positions: half of them mirrored within 4 standard errors (0.0316).
TEST(Augmentation, FlipsHalfOfThePositions) {
  TemporaryFolder folder;
  const auto dataset = one_image(folder, true, 0);
  int mirrored = 0;
  for (uint64_t p = 0; p < 4000; ++p) {
    const Sample sample = read_sample(dataset, 0, &p);
    ASSERT_TRUE(sample.image[0] == 1 || sample.image[0] == kSide);
    ASSERT_EQ(sample.image[0] + sample.image[kSide - 1], kSide + 1);
    mirrored += sample.image[0] == kSide;
  }
  std::printf("%d of 4000 mirrored\n", mirrored);
  EXPECT_NEAR(mirrored / 4000.0, 0.5, 4 * 0.5 / std::sqrt(4000.0));
  EXPECT_EQ(read_sample(dataset, 0).image[0], 1) << "evaluation never mirrors";
}

// With a border of 2 the crop has 5 x 5 places, each as likely: 4,000 positions, chi square of 24 degrees below 60
// (beyond it once in 10^4 seeds).
TEST(Augmentation, CropsAtEveryPlaceOfTheBorderEquallyOften) {
  TemporaryFolder folder;
  const auto dataset = one_image(folder, false, 2);
  std::map<std::pair<int, int>, int> places;
  for (uint64_t p = 0; p < 4000; ++p) {
    const std::vector<uint8_t> image = read_sample(dataset, 0, &p).image;
    const size_t centre = 16 * kSide + 16;
    ++places[{image[centre] - 17, image[kSide * kSide + centre] - 17}];
  }
  EXPECT_EQ(places.size(), 25u);
  double chi2 = 0;
  for (const auto& [place, n] : places) {
    EXPECT_LE(std::abs(place.first), 2);
    EXPECT_LE(std::abs(place.second), 2);
    chi2 += (n - 160.0) * (n - 160.0) / 160;
  }
  std::printf("25 places, chi square %.1f\n", chi2);
  EXPECT_LT(chi2, 60);
}

TEST(Augmentation, BatchSizesAndLoaderThreadsDrawTheSameImages) {
  TemporaryFolder folder;
  auto dataset = one_image(folder, true, 4);
  std::vector<std::vector<uint8_t>> all;
  for (const auto& [batch, threads] : {std::pair{1, 0}, {7, 0}, {7, 1}, {64, 2}}) {
    data::Pipeline pipeline(dataset, 5, 0, batch, threads);
    std::vector<uint8_t> seen;
    while (seen.size() < 64 * 3 * kSide * kSide) {
      const data::Batch b = pipeline.next();
      const auto* values = b.fields[0].const_data_ptr<uint8_t>();
      seen.insert(seen.end(), values, values + b.fields[0].numel());
    }
    seen.resize(64 * 3 * kSide * kSide);
    all.push_back(std::move(seen));
  }
  for (const auto& other : all) EXPECT_TRUE(other == all.front());
  std::set<std::vector<uint8_t>> different;
  for (size_t i = 0; i < 64; ++i)
    different.emplace(all[0].begin() + static_cast<std::ptrdiff_t>(i * 3 * kSide * kSide),
                      all[0].begin() + static_cast<std::ptrdiff_t>((i + 1) * 3 * kSide * kSide));
  EXPECT_GT(different.size(), 40u) << "the same image at 64 positions";
}

}  // namespace
}  // namespace perrin::testing
