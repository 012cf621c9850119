#include "host/kernels/attention.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "tests/unit/kernels/for_each_isa.hpp"

namespace perrin::kernels {
namespace {

std::vector<float> normals(int64_t n, uint64_t sample, float deviation = 1) {
  std::vector<float> z(static_cast<size_t>(n));
  random::normal({.seed = 4, .purpose = 1, .step = 1}, sample, 0, z);
  for (float& v : z) v *= deviation;
  return z;
}

void two_threads(int64_t n, int64_t /*grain*/, const std::function<void(int64_t, int64_t)>& body) {
  std::thread first([&] { body(0, n / 2); });
  body(n / 2, n);
  first.join();
}

float worst(const std::vector<float>& got, const std::vector<float>& expected) {
  float difference = 0, size = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i]) < 1e30f)) return INFINITY;
    difference = std::max(difference, std::abs(got[i] - expected[i]));
    size = std::max(size, std::abs(expected[i]));
  }
  return difference / std::max(size, 1.0f);
}

template <class T>
HeadView<T> dense(std::vector<std::remove_const_t<T>>& x, const Attention& a, int64_t positions) {
  return {x.data(), a.heads * positions * a.head_size, positions * a.head_size, a.head_size};
}

struct Case {
  Attention a;
  std::vector<float> q, k, v, g;
  explicit Case(const Attention& a, float deviation = 1)
      : a(a),
        q(normals(a.batch * a.heads * a.queries * a.head_size, 1, deviation)),
        k(normals(a.batch * a.heads * a.keys * a.head_size, 2, deviation)),
        v(normals(int64_t(k.size()), 3)),
        g(normals(int64_t(q.size()), 4)) {}
};

struct Result {
  std::vector<float> o, lse, dq, dk, dv;
  explicit Result(const Case& c)
      : o(c.q.size()),
        lse(size_t(c.a.batch * c.a.heads * c.a.queries)),
        dq(c.q.size()),
        dk(c.k.size()),
        dv(c.k.size()) {}
};

Result reference(const Case& c) {
  Result r(c);
  attention_reference(c.a, c.q.data(), c.k.data(), c.v.data(), r.o.data());
  attention_backward_reference(c.a, c.q.data(), c.k.data(), c.v.data(), c.g.data(), r.dq.data(), r.dk.data(),
                               r.dv.data());
  return r;
}

Result fast(Case c, const ParallelFor& parallel) {
  Result r(c);
  const auto q = dense<const float>(c.q, c.a, c.a.queries), k = dense<const float>(c.k, c.a, c.a.keys),
             v = dense<const float>(c.v, c.a, c.a.keys), g = dense<const float>(c.g, c.a, c.a.queries);
  attention_forward(c.a, q, k, v, dense<float>(r.o, c.a, c.a.queries), r.lse.data(), parallel);
  attention_backward(c.a, q, k, v, dense<const float>(r.o, c.a, c.a.queries), g, r.lse.data(),
                     dense<float>(r.dq, c.a, c.a.queries), dense<float>(r.dk, c.a, c.a.keys),
                     dense<float>(r.dv, c.a, c.a.keys), parallel);
  return r;
}

TEST(Attention, MatchesTheDoubleReferenceForAllSizesAndTails) {
  const Attention shapes[] = {{2, 2, 64, 64, 8, 0.35},   {1, 3, 17, 5, 8, 0.35},   {1, 1, 1, 1, 8, 1},
                              {1, 2, 33, 100, 16, 0.25}, {1, 1, 50, 40, 24, 0.2},  {2, 1, 16, 16, 32, 0.18},
                              {1, 1, 20, 31, 64, 0.125}, {1, 1, 9, 300, 128, 0.09}};
  for (const Attention& a : shapes) {
    const Case c(a);
    const Result expected = reference(c);
    for_each_isa([&] {
      SCOPED_TRACE(testing::Message() << a.queries << "x" << a.keys << " head " << a.head_size);
      const Result got = fast(c, serial);
      EXPECT_LT(worst(got.o, expected.o), 2e-6f);
      EXPECT_LT(worst(got.dq, expected.dq), 5e-6f);
      EXPECT_LT(worst(got.dk, expected.dk), 5e-6f);
      EXPECT_LT(worst(got.dv, expected.dv), 5e-6f);
    });
  }
}

TEST(Attention, LargeScoresNeitherOverflowNorLoseTheSoftmax) {
  const Case c({1, 1, 40, 40, 8, 0.35}, 20.0f);
  const Result expected = reference(c);
  for_each_isa([&] {
    const Result got = fast(c, serial);
    EXPECT_LT(worst(got.o, expected.o), 1e-4f);
    EXPECT_LT(worst(got.dq, expected.dq), 1e-3f);
  });
}

TEST(Attention, TheBitsDoNotDependOnThreads) {
  const Case c({3, 3, 30, 30, 16, 0.25});
  const Result one = fast(c, serial), two = fast(c, two_threads);
  EXPECT_EQ(one.o, two.o);
  EXPECT_EQ(one.dq, two.dq);
  EXPECT_EQ(one.dk, two.dk);
  EXPECT_EQ(one.dv, two.dv);
}

TEST(Attention, ReadsAndWritesInterleavedHeads) {
  const Attention a{2, 4, 20, 20, 8, 0.35};
  Case c(a);
  const Result expected = reference(c);
  // (batch, position, 3, head, head_size), as one projection writes it.
  const int64_t row = 3 * a.heads * a.head_size;
  std::vector<float> qkv(size_t(a.batch * a.queries * row)), o(c.q.size()), lse(size_t(a.batch * a.heads * a.queries));
  const auto view = [&](int64_t which) {
    return HeadView<const float>{qkv.data() + which * a.heads * a.head_size, a.queries * row, a.head_size, row};
  };
  for (int64_t n = 0; n < a.batch; ++n) {
    for (int64_t h = 0; h < a.heads; ++h) {
      for (int64_t i = 0; i < a.queries * a.head_size; ++i) {
        const auto from = size_t((n * a.heads + h) * a.queries * a.head_size + i);
        const auto to = size_t((n * a.queries + i / a.head_size) * row + h * a.head_size + i % a.head_size);
        qkv[to] = c.q[from];
        qkv[to + size_t(a.heads * a.head_size)] = c.k[from];
        qkv[to + size_t(2 * a.heads * a.head_size)] = c.v[from];
      }
    }
  }
  attention_forward(a, view(0), view(1), view(2), dense<float>(o, a, a.queries), lse.data());
  EXPECT_LT(worst(o, expected.o), 2e-6f);
}

TEST(Attention, RefusesAHeadSizeThatIsNoMultipleOfEight) {
  Case c({1, 1, 2, 2, 12, 1});
  EXPECT_THROW(fast(c, serial), Error);
}

}  // namespace
}  // namespace perrin::kernels
