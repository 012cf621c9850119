#include "host/kernels/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <set>
#include <vector>

#include "host/base/error.hpp"
#include "tests/unit/kernels/for_each_isa.hpp"

namespace perrin::random {
namespace {

using kernels::for_each_isa;

constexpr Stream kStream{.seed = 20240611, .purpose = 3, .step = 17};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

std::vector<float> normals(const Stream& stream, uint64_t sample, uint64_t first, size_t n) {
  std::vector<float> z(n);
  normal(stream, sample, first, z);
  return z;
}

// Random123 1.14, tests/kat_vectors, the three lines "philox4x32 10" (counter, key, expected).
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, VectorLanesEqualSingleBlocksAlsoBeyond32BitIndices) {
  for_each_isa([] {
    for (uint64_t first : {uint64_t{0}, uint64_t{1} << 34, (uint64_t{1} << 34) - 256}) {
      std::vector<uint32_t> words(1000);
      const uint64_t sample = 0x123456789ABCDEFull;
      bits(kStream, sample, first, words);
      for (size_t i = 0; i < words.size(); ++i) {
        const uint64_t block = (first + i) / 4;
        const Counter c = philox({uint32_t(block), uint32_t(block >> 32), uint32_t(sample), uint32_t(sample >> 32)},
                                 stream_key(kStream));
        ASSERT_EQ(words[i], c[(first + i) % 4]) << "element " << first + i;
      }
    }
  });
}

TEST(Streams, DifferInEachOfSeedPurposeAndStep) {
  std::set<std::array<uint32_t, 2>> keys;
  for (uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
    for (uint32_t purpose = 0; purpose < 30; ++purpose) {
      for (uint32_t step = 0; step < 30; ++step) keys.insert(stream_key({seed, purpose, step}));
    }
  }
  EXPECT_EQ(keys.size(), 2700u);
}

TEST(Uniform, CoversTheHalfOpenIntervalOnItsGrid) {
  for_each_isa([] {
    std::vector<float> u(200000);
    uniform(kStream, 5, 0, u);
    EXPECT_GT(*std::min_element(u.begin(), u.end()), 0.0f);
    EXPECT_LE(*std::max_element(u.begin(), u.end()), 1.0f);
    std::vector<uint32_t> w(u.size());
    bits(kStream, 5, 0, w);
    for (size_t i = 0; i < u.size(); ++i) ASSERT_EQ(u[i], std::ldexp(double(w[i] >> 8) + 1, -24)) << i;
  });
}

TEST(Uniform, DoubleUsesTwoWordsAndDoesNotDependOnTheRange) {
  std::vector<double> whole(3000), part(700);
  uniform(kStream, 5, 0, whole);
  uniform(kStream, 5, 1111, part);
  std::vector<uint32_t> w(6000);
  bits(kStream, 5, 0, w);
  for (size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], whole[1111 + i]) << i;
  for (size_t i = 0; i < whole.size(); ++i) {
    const uint64_t word = (uint64_t{w[2 * i]} << 32 | w[2 * i + 1]) >> 11;
    ASSERT_EQ(whole[i], std::ldexp(double(word) + 1, -53)) << i;
  }
}

TEST(Normal, EveryInstructionSetGivesTheBitsOfTheScalarReference) {
  std::vector<float> expected(5000);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = normal_reference(kStream, 99, i);
  for_each_isa([&] { EXPECT_TRUE(same_bits(normals(kStream, 99, 0, expected.size()), expected)); });
}

TEST(Normal, AnElementDoesNotDependOnTheRangeAsked) {
  const auto whole = normals(kStream, 1, 0, 4096);
  for_each_isa([&] {
    for (uint64_t first : {0, 1, 3, 63, 64, 255, 256, 257, 1000, 4000}) {
      for (size_t n : {0, 1, 2, 5, 64, 96}) {
        const std::vector<float> part(whole.begin() + first, whole.begin() + first + n);
        EXPECT_TRUE(same_bits(normals(kStream, 1, first, n), part)) << "from " << first << ", " << n << " elements";
      }
    }
  });
}

// Box-Muller in double on the same words.
double exact_normal(uint32_t w0, uint32_t w1, unsigned which) {
  const double u = double(float(double(float(w0)) * 0x1p-32 + 0x1p-33));
  const double angle = 2 * std::numbers::pi * (double(w1) * 0x1p-32);
  return std::sqrt(-2 * std::log(u)) * (which == 0 ? std::cos(angle) : std::sin(angle));
}

TEST(Normal, IsWithinFourUlpOfExactArithmetic) {
  std::vector<uint32_t> w(1 << 22);
  bits(kStream, 7, 0, w);
  const auto z = normals(kStream, 7, 0, w.size());
  double worst = 0, worst_at = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const double exact = exact_normal(w[i & ~size_t{1}], w[i | 1], i & 1);
    const double r = std::hypot(exact, exact_normal(w[i & ~size_t{1}], w[i | 1], 1 - (i & 1)));
    const double size = std::max(std::abs(exact), r * 0x1p-20);
    const double ulp = size > 0 ? std::ldexp(1.0, std::ilogb(size) - 23) : 1;
    const double error = std::abs(z[i] - exact) / ulp;
    if (error > worst) worst = error, worst_at = exact;
  }
  std::printf("worst error %.2f ulp at %.7g\n", worst, worst_at);
  EXPECT_LT(worst, 4.0);
}

// seed 20240611, 4 Mi draws; bounds are 4.5 standard errors (KS: p = 1e-4).
TEST(Normal, MomentsTailsAndDistributionAreStandardNormal) {
  auto z = normals(kStream, 11, 0, 1 << 22);
  const double n = double(z.size());
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    const double x = z[i];
    m1 += x, m2 += x * x, m3 += x * x * x, m4 += x * x * x * x;
    if (i > 0) lag += x * z[i - 1];
  }
  EXPECT_NEAR(m1 / n, 0, 4.5 / std::sqrt(n));
  EXPECT_NEAR(m2 / n, 1, 4.5 * std::sqrt(2 / n));
  EXPECT_NEAR(m3 / n, 0, 4.5 * std::sqrt(15 / n));
  EXPECT_NEAR(m4 / n, 3, 4.5 * std::sqrt(96 / n));
  EXPECT_NEAR(lag / n, 0, 4.5 / std::sqrt(n));
  std::sort(z.begin(), z.end());
  double ks = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    const double cdf = 0.5 * std::erfc(-double(z[i]) / std::numbers::sqrt2);
    ks = std::max({ks, std::abs(cdf - double(i) / n), std::abs(cdf - double(i + 1) / n)});
  }
  std::printf("sqrt(n) KS = %.3f, range [%.2f, %.2f]\n", ks * std::sqrt(n), z.front(), z.back());
  EXPECT_LT(ks * std::sqrt(n), 2.23);
  EXPECT_LT(z.front(), -4.6);
  EXPECT_GT(z.back(), 4.6);
}

TEST(Normal, LargestOf64MiDrawsIsInTheTail) {
  double largest = 0;
  for (uint64_t sample = 0; sample < 64; ++sample) {
    for (float x : normals({1, 2, 3}, sample, 0, 1 << 20)) largest = std::max(largest, double(std::abs(x)));
  }
  std::printf("largest of 64 Mi draws %.3f\n", largest);
  EXPECT_GT(largest, 5.3);
  EXPECT_LT(largest, 6.78);
}

TEST(Normal, SamplesAndStepsAreUncorrelated) {
  const size_t n = 1 << 18;
  const auto a = normals({1, 2, 3}, 0, 0, n), b = normals({1, 2, 3}, 1, 0, n), c = normals({1, 2, 4}, 0, 0, n);
  double ab = 0, ac = 0;
  for (size_t i = 0; i < n; ++i) ab += double(a[i]) * b[i], ac += double(a[i]) * c[i];
  EXPECT_LT(std::abs(ab) / std::sqrt(double(n)), 4.5);
  EXPECT_LT(std::abs(ac) / std::sqrt(double(n)), 4.5);
}

TEST(KeyedPermutation, IsABijectionForEverySmallNAndABigOne) {
  for (uint64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 31, 100, 1000, 60000}) {
    std::vector<bool> seen(n);
    for (uint64_t i = 0; i < n; ++i) {
      const uint64_t to = keyed_permutation(4, 2, n, i);
      ASSERT_LT(to, n);
      ASSERT_FALSE(seen[to]) << "n " << n << ", index " << i;
      seen[to] = true;
    }
  }
  EXPECT_LT(keyed_permutation(4, 2, uint64_t{1} << 62, 12345), uint64_t{1} << 62);
}

TEST(KeyedPermutation, DrawsTheOrdersOfFourItemsEvenly) {
  std::map<std::array<uint64_t, 4>, int> counts;
  const int draws = 48000;
  for (int epoch = 0; epoch < draws; ++epoch) {
    std::array<uint64_t, 4> order;
    for (uint64_t i = 0; i < 4; ++i) order[i] = keyed_permutation(9, uint32_t(epoch), 4, i);
    ++counts[order];
  }
  double chi2 = 0;
  for (const auto& [order, count] : counts) chi2 += std::pow(count - draws / 24.0, 2) / (draws / 24.0);
  std::printf("%zu orders of 24, chi2 %.1f on 23 degrees\n", counts.size(), chi2);
  EXPECT_EQ(counts.size(), 24u);
  EXPECT_LT(chi2, 55.0);  // p = 2e-4
}

TEST(KeyedPermutation, SendsEachIndexEverywhereEvenly) {
  for (uint64_t n : {10, 37}) {
    const int draws = 20000;
    for (uint64_t i : {uint64_t{0}, n / 2, n - 1}) {
      std::vector<int> counts(n);
      for (int seed = 0; seed < draws; ++seed) ++counts[keyed_permutation(uint64_t(seed), 0, n, i)];
      double chi2 = 0;
      for (int count : counts) chi2 += std::pow(count - draws / double(n), 2) / (draws / double(n));
      EXPECT_LT(chi2, double(n - 1) + 4.5 * std::sqrt(2.0 * double(n - 1))) << "n " << n << ", index " << i;
    }
  }
}

TEST(KeyedPermutation, RefusesAnIndexThatIsNotBelowN) {
  EXPECT_THROW(keyed_permutation(0, 0, 10, 10), Error);
  EXPECT_THROW(keyed_permutation(0, 0, 0, 0), Error);
}

}  // namespace
}  // namespace perrin::random
