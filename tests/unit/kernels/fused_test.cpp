// lincomb, q_sample, norm2 and the optimizers' passes against their plain references, bit for bit.
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/adafactor.hpp"
#include "host/kernels/adamw.hpp"
#include "host/kernels/bridge.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/momentum.hpp"
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

TEST(Bridge, EqualsTheReferenceForEveryNumberOfHalvingsAndRowSize) {
  const std::vector<uint64_t> samples = {3, 1, 4, 1, 5, 9, uint64_t{1} << 40};
  for (size_t n_halvings : {1, 2, 5, 21}) {
    std::vector<Halving> halvings;
    for (size_t i = 0; i < n_halvings; ++i)
      halvings.push_back({{5, 9, uint32_t(i)}, 0.3f + float(i) / 50, 0.6f - float(i) / 50, 0.7f, i % 3 == 1});
    for (size_t row_size : {1, 2, 5, 256, 784, 1000}) {
      std::vector<float> expected(samples.size() * row_size), got(expected.size());
      bridge_reference(halvings, samples, expected);
      for_each_isa([&] {
        bridge(halvings, samples, got);
        expect_same_bits(got, expected, "one thread");
        bridge(halvings, samples, got, three_threads);
        expect_same_bits(got, expected, "three threads");
      });
    }
  }
}

TEST(Bridge, RefusesElementsThatAreNoRows) {
  std::vector<float> W(5);
  const std::vector<uint64_t> two = {1, 2};
  EXPECT_THROW(bridge(std::vector<Halving>(1), two, W), Error);
  EXPECT_THROW(bridge({}, two, W), Error);
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

// `kernel(weights, average, parallel)` against `reference(weights, average)`.
template <class Kernel, class Reference>
void expect_same_update(Kernel&& kernel, Reference&& reference) {
  for (size_t n : {1, 15, 16, 1000, 100003}) {
    for (bool average : {false, true}) {
      Weights expected(n);
      reference(expected, average);
      for_each_isa([&] {
        for (const ParallelFor& parallel : {ParallelFor(serial), ParallelFor(three_threads)}) {
          Weights got(n);
          kernel(got, average, parallel);
          expect_same_bits(got.w, expected.w, "weight");
          expect_same_bits(got.m, expected.m, "first moment");
          expect_same_bits(got.v, expected.v, "second moment");
          expect_same_bits(got.ema, expected.ema, "average");
        }
      });
    }
  }
}

TEST(AdamW, EqualsTheReferenceBitForBit) {
  for (double l2 : {0.0, 0.03}) {
    const AdamW o{.lr = 3e-4, .weight_decay = 0.02, .l2 = l2, .step = 7, .grad_scale = 0.37, .ema_decay = 0.999};
    expect_same_update([&](Weights& w, bool average, auto& parallel) { adamw_ema(o, w.views(average), parallel); },
                       [&](Weights& w, bool average) { adamw_ema_reference(o, w.views(average)); });
  }
}

MomentumBuffers one_moment(Weights& w, bool average, bool moment = true) {
  return {w.w, w.g, moment ? std::span<float>(w.m) : std::span<float>(),
          average ? std::span<float>(w.ema) : std::span<float>()};
}

TEST(Sgd, EqualsTheReferenceBitForBit) {
  for (const auto& [momentum, nesterov] : {std::pair{0.0, false}, {0.9, false}, {0.9, true}}) {
    const Sgd o{
        .lr = 3e-2, .momentum = momentum, .l2 = 0.02, .nesterov = nesterov, .grad_scale = 0.37, .ema_decay = 0.9};
    expect_same_update(
        [&](Weights& w, bool average, auto& parallel) { sgd_ema(o, one_moment(w, average, o.momentum > 0), parallel); },
        [&](Weights& w, bool average) { sgd_ema_reference(o, one_moment(w, average, o.momentum > 0)); });
  }
}

TEST(Lion, EqualsTheReferenceBitForBit) {
  const Lion o{.lr = 3e-4, .weight_decay = 0.2, .grad_scale = 0.37, .ema_decay = 0.999};
  expect_same_update([&](Weights& w, bool average, auto& parallel) { lion_ema(o, one_moment(w, average), parallel); },
                     [&](Weights& w, bool average) { lion_ema_reference(o, one_moment(w, average)); });
}

TEST(Lion, AWeightWithoutMomentAndGradientStays) {
  std::vector<float> w = {1.5f, -2}, g = {0, 0}, m = {0, 0};
  lion_ema({.lr = 0.1}, {w, g, m, {}});
  EXPECT_EQ(w, (std::vector<float>{1.5f, -2}));
}

TEST(Ema, AloneGivesTheBitsOfTheFusedPass) {
  Weights fused(100003), apart(100003);
  sgd_ema({.lr = 0.1, .ema_decay = 0.99}, one_moment(fused, true));
  sgd_ema({.lr = 0.1}, one_moment(apart, false));
  ema(0.99, apart.w, apart.ema, three_threads);
  expect_same_bits(apart.ema, fused.ema, "average");
}

TEST(Sgd, RefusesBuffersOfDifferentLength) {
  Weights w(8);
  MomentumBuffers b = one_moment(w, true);
  b.moment = b.moment.first(7);
  EXPECT_THROW(sgd_ema({.momentum = 0.9}, b), Error);
  EXPECT_THROW(lion_ema({}, b), Error);
  EXPECT_THROW(ema(0.9, b.weight, b.moment), Error);
}

TEST(Adafactor, EqualsTheReferenceBitForBit) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1000, 1}, {1, 1000}, {17, 33}, {300, 401}, {70000, 2}}) {
    for (int64_t step : {1, 12}) {
      const Adafactor o{.lr = 1e-2, .clip = 0.8, .weight_decay = 0.1, .step = step, .grad_scale = 0.37};
      const auto buffers = [&](Weights& w) {
        return AdafactorBuffers{
            rows, columns, w.w, w.g, std::span(w.v).first(size_t(rows)), std::span(w.ema).first(size_t(columns))};
      };
      const auto start = [&] {
        Weights w(size_t(rows) * size_t(columns));
        w.ema = w.v;
        return w;
      };
      Weights expected = start();
      adafactor_reference(o, buffers(expected));
      for_each_isa([&] {
        for (const ParallelFor& parallel : {ParallelFor(serial), ParallelFor(three_threads)}) {
          Weights got = start();
          adafactor(o, buffers(got), parallel);
          expect_same_bits(got.w, expected.w, "weight");
          expect_same_bits(got.v, expected.v, "rows' moment");
          expect_same_bits(got.ema, expected.ema, "columns' moment");
        }
      });
    }
  }
}

TEST(Adafactor, RefusesBuffersThatAreNotTheMatrixAndStepZero) {
  Weights w(8);
  EXPECT_THROW(adafactor({}, {3, 3, w.w, w.g, std::span(w.m).first(3), std::span(w.v).first(3)}), Error);
  EXPECT_THROW(adafactor({.step = 0}, {8, 1, w.w, w.g, w.m, std::span(w.v).first(1)}), Error);
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
