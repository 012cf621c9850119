// Fashion-MNIST's published facts: 60,000 + 10,000 images, classes in equal shares (1708.07747 Sec. 2), and the mean
// and deviation 0.2860 and 0.3530 of the training pixels in [0, 1], which PyTorch users normalise by.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

struct Split {
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;
};

Split read_all(const std::string& name) {
  const auto dataset = builtin("dataset", "fashion-mnist", {{"split", name}});
  uint64_t n = 0;
  dataset.invoke<&perrin_dataset::count>(&n);
  Split split{std::vector<uint8_t>(n * 784), std::vector<int64_t>(n)};
  std::vector<uint64_t> indices(n);
  std::iota(indices.begin(), indices.end(), 0);
  void* const buffers[] = {split.pixels.data(), split.labels.data()};
  dataset.invoke<&perrin_dataset::read>(n, indices.data(), buffers);
  return split;
}

TEST(GoldenFashionMnist, CountsSharesMeanAndDeviation) {
  if (const std::string reason = no_fashion_mnist(); !reason.empty()) GTEST_SKIP() << reason;
  for (const auto& [name, n] : {std::pair{"train", 60000u}, {"test", 10000u}}) {
    const Split split = read_all(name);
    ASSERT_EQ(split.labels.size(), n) << name;
    std::array<unsigned, 10> shares{};
    for (int64_t label : split.labels) ++shares.at(static_cast<size_t>(label));
    for (unsigned share : shares) EXPECT_EQ(share, n / 10) << name;
  }
  const Split train = read_all("train");
  double sum = 0, squares = 0;
  for (uint8_t p : train.pixels) sum += p / 255.0, squares += p / 255.0 * (p / 255.0);
  const double count = static_cast<double>(train.pixels.size()), mean = sum / count;
  const double deviation = std::sqrt(squares / count - mean * mean);
  std::printf("mean %.4f (0.2860), deviation %.4f (0.3530)\n", mean, deviation);
  EXPECT_NEAR(mean, 0.2860, 5e-5);
  EXPECT_NEAR(deviation, 0.3530, 5e-5);
  EXPECT_EQ(train.labels[0], 9) << "the first training image is an ankle boot";
}

}  // namespace
}  // namespace perrin::testing
