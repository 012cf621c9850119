#include "host/kernels/conv3x3.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "tests/unit/kernels/for_each_isa.hpp"

namespace perrin::kernels {
namespace {

std::vector<float> normals(int64_t n, uint64_t sample) {
  std::vector<float> z(static_cast<size_t>(n));
  random::normal({.seed = 6, .purpose = 1, .step = 1}, sample, 0, z);
  return z;
}

void two_threads(int64_t n, int64_t /*grain*/, const std::function<void(int64_t, int64_t)>& body) {
  std::thread first([&] { body(0, n / 2); });
  body(n / 2, n);
  first.join();
}

// Largest difference in units of the root mean square.
double worst(const std::vector<float>& got, const std::vector<float>& expected) {
  double difference = 0, square = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    difference = std::max(difference, std::abs(double(got[i]) - expected[i]));
    square += double(expected[i]) * expected[i];
  }
  return difference / std::sqrt(square / double(got.size()) + 1e-30);
}

struct Case {
  Conv3x3 s;
  std::vector<float> x, w, bias, dy;
  explicit Case(const Conv3x3& s)
      : s(s),
        x(normals(s.batch * s.height * s.width * s.in, 1)),
        w(normals(9 * s.in * s.out, 2)),
        bias(normals(s.out, 3)),
        dy(normals(s.batch * s.height * s.width * s.out, 4)) {}
  Conv3x3 back() const { return {s.batch, s.height, s.width, s.out, s.in}; }
};

// PyTorch's two orders of (out, in, 3, 3).
template <class T>
KernelView<T> view(T* w, const Conv3x3& s, bool channels_last) {
  if (channels_last) return {w, 9 * s.in, 1, 3 * s.in, s.in};
  return {w, 9 * s.in, 9, 3, 1};
}

struct Result {
  std::vector<float> y, dx, dw, dbias;
  explicit Result(const Case& c) : y(c.dy.size()), dx(c.x.size()), dw(c.w.size()), dbias(c.bias.size()) {}
};

Result reference(const Case& c, bool last) {
  Result r(c);
  const auto w = view(c.w.data(), c.s, last);
  conv3x3_reference(c.s, c.x.data(), w, c.bias.data(), r.y.data());
  conv3x3_reference(c.back(), c.dy.data(), w.turned(), nullptr, r.dx.data());
  conv3x3_weight_gradient_reference(c.s, c.x.data(), c.dy.data(), view(r.dw.data(), c.s, last), r.dbias.data());
  return r;
}

Result fast(const Case& c, bool last, const ParallelFor& parallel) {
  Result r(c);
  const auto w = view(c.w.data(), c.s, last);
  conv3x3(c.s, c.x.data(), w, c.bias.data(), r.y.data(), parallel);
  conv3x3(c.back(), c.dy.data(), w.turned(), nullptr, r.dx.data(), parallel);
  conv3x3_weight_gradient(c.s, c.x.data(), c.dy.data(), view(r.dw.data(), c.s, last), r.dbias.data(), parallel);
  return r;
}

TEST(Conv3x3, MatchesTheDirectSumForAllShapesEdgesAndWeightOrders) {
  double largest = 0;
  for (const Conv3x3& s :
       {Conv3x3{2, 8, 8, 16, 16}, Conv3x3{3, 4, 6, 32, 16}, Conv3x3{1, 7, 5, 16, 48}, Conv3x3{1, 1, 1, 16, 16},
        Conv3x3{2, 3, 2, 64, 32}, Conv3x3{5, 16, 16, 16, 32}, Conv3x3{1, 8, 8, 96, 80}}) {
    for (bool last : {true, false}) {
      SCOPED_TRACE(testing::Message() << s.height << "x" << s.width << " " << s.in << "->" << s.out);
      const Case c(s);
      const Result expected = reference(c, last);
      for_each_isa([&] {
        const Result got = fast(c, last, serial);
        EXPECT_LT(worst(got.y, expected.y), 5e-6) << "y";
        EXPECT_LT(worst(got.dx, expected.dx), 5e-6) << "dx";
        EXPECT_LT(worst(got.dw, expected.dw), 1e-5) << "dw";
        EXPECT_LT(worst(got.dbias, expected.dbias), 5e-6) << "dbias";
        largest = std::max({largest, worst(got.y, expected.y), worst(got.dx, expected.dx), worst(got.dw, expected.dw)});
      });
    }
  }
  std::printf("largest error %.2g of the root mean square\n", largest);
}

TEST(Conv3x3, TheBitsDoNotDependOnThreads) {
  const Case c({9, 16, 16, 16, 32});
  const Result one = fast(c, true, serial), two = fast(c, true, two_threads);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.dx, two.dx);
  EXPECT_EQ(one.dw, two.dw);
  EXPECT_EQ(one.dbias, two.dbias);
}

TEST(Conv3x3, ANaNStaysWithinReachOfItsPixel) {
  Case c({1, 8, 8, 16, 16});
  c.x[size_t((3 * 8 + 3) * 16)] = NAN;
  const Result got = fast(c, true, serial);
  EXPECT_TRUE(std::isnan(got.y[size_t((3 * 8 + 3) * 16)]));
  EXPECT_FALSE(std::isnan(got.y[size_t((7 * 8 + 7) * 16)]));
}

TEST(Conv3x3, RefusesChannelsThatAreNoMultipleOfSixteen) {
  const Case c({1, 4, 4, 16, 24});
  EXPECT_THROW(fast(c, true, serial), Error);
}

}  // namespace
}  // namespace perrin::kernels
