// lincomb, q_sample, adamw_ema, norm2 against their plain references, bit for bit.
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/adamw.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/q_sample.hpp"
#include "tests/unit/kernels/for_each_isa.hpp"

namespace perrin::kernels {
namespace {

constexpr random::Stream kStream{.seed = 5, .purpose = 9, .step = 3};

template <class T>
std::vector<T> values(size_t n, uint64_t sample) {
  std::vector<float> z(n);
  random::normal({.seed = 1, .purpose = 1, .step = 1}, sample, 0, z);
  return {z.begin(), z.end()};
}

template <class T>
void expect_same_bits(const std::vector<T>& got, const std::vector<T>& expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::memcmp(&got[i], &expected[i], sizeof(T)), 0)
        << what << " at " << i << ": " << got[i] << ", expected " << expected[i];
  }
}

// Odd cuts on three threads.
void three_threads(int64_t n, int64_t /*grain*/, const std::function<void(int64_t, int64_t)>& body) {
  const int64_t a = n / 3 + 1, b = 2 * n / 3 + 1;
  if (b >= n) return body(0, n);
  std::thread first([&] { body(0, a); }), second([&] { body(a, b); });
  body(b, n);
  first.join();
  second.join();
}

template <class T>
class Lincomb : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Lincomb, Precisions);

TYPED_TEST(Lincomb, EqualsTheReferenceForEveryNumberOfTermsAndRowSize) {
  using T = TypeParam;
  for (size_t n_terms : {0, 1, 2, 3, 5, 16}) {
    for (int64_t row_size : {1, 2, 5, 256, 784, 1000}) {
      const int64_t rows = 7;
      const size_t n = size_t(rows * row_size);
      std::vector<std::vector<T>> xs;
      std::vector<Term<T>> terms;
      for (size_t i = 0; i < n_terms; ++i) xs.push_back(values<T>(n, i));
      for (size_t i = 0; i < n_terms; ++i) terms.push_back({T(0.3) + T(i), xs[i].data()});
      const std::vector<uint64_t> samples = {3, 1, 4, 1, 5, 9, uint64_t{1} << 40};
      const Noise noise{kStream, samples.data(), row_size, 0.7};
      for (const Noise* s : {&noise, static_cast<const Noise*>(nullptr)}) {
        if (n_terms == 0 && s == nullptr) continue;
        std::vector<T> expected(n), got(n);
        lincomb_reference(terms, s, expected);
        for_each_isa([&] {
          lincomb(terms, s, std::span<T>(got));
          expect_same_bits(got, expected, "one thread");
          lincomb(terms, s, std::span<T>(got), three_threads);
          expect_same_bits(got, expected, "three threads");
        });
      }
    }
  }
}

TYPED_TEST(Lincomb, WorksInPlaceForAnyTerm) {
  using T = TypeParam;
  const auto a = values<T>(3000, 1), b = values<T>(3000, 2);
  std::vector<T> expected(3000);
  const Term<T> terms[] = {{T(0.5), a.data()}, {T(-2), b.data()}};
  lincomb_reference(terms, nullptr, expected);
  auto first = a, second = b;
  lincomb(std::vector<Term<T>>{{T(0.5), first.data()}, {T(-2), b.data()}}, nullptr, std::span<T>(first));
  lincomb(std::vector<Term<T>>{{T(0.5), a.data()}, {T(-2), second.data()}}, nullptr, std::span<T>(second));
  expect_same_bits(first, expected, "y is x_0");
  expect_same_bits(second, expected, "y is x_1");
}

TEST(LincombErrors, NameTheFault) {
  std::vector<float> x(10), y(10);
  const std::vector<Term<float>> many(17, {1.0f, x.data()});
  const uint64_t samples[10] = {};
  const Noise bad{kStream, samples, 3, 1.0};
  EXPECT_THROW(lincomb(many, nullptr, std::span<float>(y)), Error);
  EXPECT_THROW(lincomb(std::span<const Term<float>>(), nullptr, std::span<float>(y)), Error);
  EXPECT_THROW(lincomb(std::span(many).first(1), &bad, std::span<float>(y)), Error);
}

struct QSampleCase {
  std::vector<float> x0, x_t, target, alpha{1.0f, 0.8f, 0.0f}, sigma{0.0f, 0.6f, 1.0f}, a{0, -0.6f, 1}, b{1, 0.8f, 0};
  std::vector<uint64_t> samples{77, 0, uint64_t{1} << 35};
  QSample q(int64_t row_size, bool with_target) {
    const size_t n = 3 * size_t(row_size);
    x0 = values<float>(n, 4), x_t.assign(n, -1), target.assign(n, -1);
    QSample q{.x0 = x0.data(),
              .rows = 3,
              .row_size = row_size,
              .stream = kStream,
              .sample = samples.data(),
              .alpha = alpha.data(),
              .sigma = sigma.data(),
              .x_t = x_t.data()};
    if (with_target) q.target_x0 = a.data(), q.target_noise = b.data(), q.target = target.data();
    return q;
  }
};

TEST(QSample, EqualsTheReferenceAndItsTargetIsMadeOfTheSameNoise) {
  for (int64_t row_size : {1, 2, 28 * 28, 3 * 32 * 32}) {
    for (bool with_target : {false, true}) {
      QSampleCase expected;
      q_sample_reference(expected.q(row_size, with_target));
      for_each_isa([&] {
        for (const ParallelFor& parallel : {ParallelFor(serial), ParallelFor(three_threads)}) {
          QSampleCase got;
          q_sample(got.q(row_size, with_target), parallel);
          expect_same_bits(got.x_t, expected.x_t, "x_t");
          expect_same_bits(got.target, expected.target, "target");
        }
      });
      std::vector<float> eps(static_cast<size_t>(row_size));
      random::normal(kStream, 77, 0, eps);
      for (size_t i = 0; i < eps.size() && with_target; ++i) ASSERT_EQ(expected.target[i], eps[i]);
    }
  }
}

TEST(QSample, MayOverwriteX0) {
  QSampleCase expected, got;
  q_sample(expected.q(784, true));
  QSample q = got.q(784, true);
  q.x_t = got.x0.data();
  q_sample(q);
  expect_same_bits(got.x0, expected.x_t, "x_t over x0");
  expect_same_bits(got.target, expected.target, "target after x0 was overwritten");
}

TEST(QSample, RefusesHalfATarget) {
  QSampleCase c;
  QSample q = c.q(4, true);
  q.target_x0 = nullptr;
  EXPECT_THROW(q_sample(q), Error);
}

struct Weights {
  std::vector<float> w, g, m, v, ema;
  explicit Weights(size_t n)
      : w(values<float>(n, 1)), g(values<float>(n, 2)), m(values<float>(n, 3)), v(values<float>(n, 4)), ema(w) {
    for (float& x : v) x = x * x;
  }
  AdamWBuffers views(bool average) { return {w, g, m, v, average ? std::span<float>(ema) : std::span<float>()}; }
};

TEST(AdamW, EqualsTheReferenceBitForBit) {
  for (size_t n : {1, 15, 16, 1000, 100003}) {
    for (bool average : {false, true}) {
      const AdamW options{.lr = 3e-4, .weight_decay = 0.02, .step = 7, .grad_scale = 0.37, .ema_decay = 0.999};
      Weights expected(n);
      adamw_ema_reference(options, expected.views(average));
      for_each_isa([&] {
        for (const ParallelFor& parallel : {ParallelFor(serial), ParallelFor(three_threads)}) {
          Weights got(n);
          adamw_ema(options, got.views(average), parallel);
          expect_same_bits(got.w, expected.w, "weight");
          expect_same_bits(got.m, expected.m, "first moment");
          expect_same_bits(got.v, expected.v, "second moment");
          expect_same_bits(got.ema, expected.ema, "average");
        }
      });
    }
  }
}

TEST(AdamW, RefusesBuffersOfDifferentLengthAndStepZero) {
  Weights w(8);
  AdamWBuffers b = w.views(true);
  EXPECT_THROW(adamw_ema({.step = 0}, b), Error);
  b.gradient = b.gradient.first(7);
  EXPECT_THROW(adamw_ema({}, b), Error);
}

TEST(Norm2, DependsOnTheValuesAloneAndIsRight) {
  for (size_t n : {0, 1, 17, 4096, 4097, 100003}) {
    const auto x = values<float>(n, 8);
    long double exact = 0;
    for (float e : x) exact += static_cast<long double>(e) * e;
    const double expected = norm2_reference(x);
    EXPECT_NEAR(expected, double(std::sqrt(exact)), 1e-13 * double(std::sqrt(exact)));
    for_each_isa([&] {
      EXPECT_EQ(norm2(x), expected) << n;
      EXPECT_EQ(norm2(x, three_threads), expected) << n;
    });
  }
}

TEST(Norm2, ShowsANaNAnywhere) {
  auto x = values<float>(5000, 8);
  x[4711] = NAN;
  EXPECT_TRUE(std::isnan(norm2(x)));
}

}  // namespace
}  // namespace perrin::kernels
