#include "host/kernels/group_norm.hpp"

#include <cmath>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "tests/unit/kernels/for_each_isa.hpp"

namespace perrin::kernels {
namespace {

std::vector<float> normals(int64_t n, uint64_t sample, float mean = 0, float deviation = 1) {
  std::vector<float> z(static_cast<size_t>(n));
  random::normal({.seed = 3, .purpose = 1, .step = 1}, sample, 0, z);
  for (float& v : z) v = mean + deviation * v;
  return z;
}

float max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
  return worst;
}

void two_threads(int64_t n, int64_t /*grain*/, const std::function<void(int64_t, int64_t)>& body) {
  std::thread first([&] { body(0, n / 2); });
  body(n / 2, n);
  first.join();
}

struct Case {
  GroupNorm norm;
  std::vector<float> x, dy, weight, bias, scale, shift;

  Case(int64_t batch, int64_t channels, int64_t pixels, int64_t groups, bool last, bool affine, bool adaptive,
       float mean = 0.3f)
      : x(normals(batch * channels * pixels, 1, mean, 1.5f)),
        dy(normals(batch * channels * pixels, 2)),
        weight(normals(channels, 3, 1, 0.3f)),
        bias(normals(channels, 4)),
        scale(normals(batch * channels, 5, 0, 0.5f)),
        shift(normals(batch * channels, 6)) {
    norm = {.batch = batch, .channels = channels, .pixels = pixels, .groups = groups, .channels_last = last};
    if (affine) norm.weight = weight.data(), norm.bias = bias.data();
    if (adaptive) norm.scale = scale.data(), norm.shift = shift.data();
  }
};

struct Result {
  std::vector<float> y, mean, rstd, dx, dweight, dbias, dscale, dshift;
  explicit Result(const Case& c)
      : y(c.x.size()),
        mean(size_t(c.norm.batch * c.norm.groups)),
        rstd(mean),
        dx(y),
        dweight(c.weight.size()),
        dbias(dweight),
        dscale(c.scale.size()),
        dshift(dscale) {}
  GroupNormGradients gradients() { return {dweight.data(), dbias.data(), dscale.data(), dshift.data()}; }
};

Result reference(const Case& c) {
  Result r(c);
  group_norm_forward_reference(c.norm, c.x.data(), r.y.data(), r.mean.data(), r.rstd.data());
  group_norm_backward_reference(c.norm, c.x.data(), c.dy.data(), r.dx.data(), r.gradients());
  return r;
}

Result fast(const Case& c, const ParallelFor& parallel) {
  Result r(c);
  group_norm_forward(c.norm, c.x.data(), r.y.data(), r.mean.data(), r.rstd.data(), parallel);
  group_norm_backward(c.norm, c.x.data(), c.dy.data(), r.mean.data(), r.rstd.data(), r.dx.data(), r.gradients(),
                      parallel);
  return r;
}

void expect_close(const Result& got, const Result& expected, float tolerance) {
  EXPECT_LT(max_difference(got.y, expected.y), tolerance) << "y";
  EXPECT_LT(max_difference(got.mean, expected.mean), tolerance) << "mean";
  EXPECT_LT(max_difference(got.rstd, expected.rstd), tolerance) << "rstd";
  EXPECT_LT(max_difference(got.dx, expected.dx), tolerance) << "dx";
  EXPECT_LT(max_difference(got.dweight, expected.dweight), 4 * tolerance) << "dweight";
  EXPECT_LT(max_difference(got.dbias, expected.dbias), 4 * tolerance) << "dbias";
  EXPECT_LT(max_difference(got.dscale, expected.dscale), 4 * tolerance) << "dscale";
  EXPECT_LT(max_difference(got.dshift, expected.dshift), 4 * tolerance) << "dshift";
}

TEST(GroupNormSilu, MatchesTheDoubleReferenceForEveryShapeAndOrder) {
  struct Shape {
    int64_t batch, channels, pixels, groups;
  };
  for (const Shape s : {Shape{2, 16, 1024, 8},
                        {3, 32, 256, 32},
                        {2, 128, 64, 32},
                        {1, 48, 49, 4},
                        {2, 6, 5, 3},
                        {2, 1, 7, 1},
                        {2, 96, 16, 1},
                        {3, 20, 1, 5},
                        {1, 24, 600, 24},
                        {2, 8, 3, 2}}) {
    for (bool last : {true, false}) {
      for (int options = 0; options < 8; ++options) {
        SCOPED_TRACE(testing::Message() << s.batch << "x" << s.channels << "x" << s.pixels << " groups " << s.groups
                                        << (last ? " last" : " first") << " options " << options);
        Case c(s.batch, s.channels, s.pixels, s.groups, last, options & 1, options & 2);
        c.norm.silu = (options & 4) != 0;
        const Result expected = reference(c);
        for_each_isa([&] { expect_close(fast(c, serial), expected, 3e-5f); });
      }
    }
  }
}

TEST(GroupNormSilu, TheBitsDoNotDependOnThreads) {
  for (bool last : {true, false}) {
    const Case c(5, 32, 100, 8, last, true, true);
    const Result one = fast(c, serial), two = fast(c, two_threads);
    EXPECT_EQ(one.y, two.y);
    EXPECT_EQ(one.dx, two.dx);
    EXPECT_EQ(one.dweight, two.dweight);
    EXPECT_EQ(one.dscale, two.dscale);
  }
}

TEST(GroupNormSilu, AMeanFarFromZeroDoesNotSpoilTheVariance) {
  for (bool last : {true, false}) {
    const Case c(1, 16, 1024, 4, last, false, false, 1000.0f);
    const Result expected = reference(c), got = fast(c, serial);
    std::printf("mean 1000, deviation 1.5: rstd off by %.2g, y by %.2g\n",
                double(max_difference(got.rstd, expected.rstd)), double(max_difference(got.y, expected.y)));
    EXPECT_LT(max_difference(got.rstd, expected.rstd), 1e-5f);
    EXPECT_LT(max_difference(got.y, expected.y), 5e-4f);  // gain x + offset cancels three digits, as in every peer
  }
}

// What a convolution makes of an image without texture: one value inside, others along the padded border.
TEST(GroupNormSilu, ABorderDoesNotSpoilTheVarianceOfAFlatImage) {
  constexpr int64_t side = 64, channels = 16;
  for (bool last : {true, false}) {
    Case c(1, channels, side * side, channels, last, false, false);
    for (int64_t k = 0; k < channels; ++k)
      for (int64_t p = 0; p < side * side; ++p) {
        const int64_t row = p / side, column = p % side;
        const int edges = (row == 0) + (row == side - 1) + (column == 0) + (column == side - 1);
        c.x[size_t(last ? p * channels + k : k * side * side + p)] =
            0.3f + 0.013f * float(k) + 0.21f * float(edges * edges) + 1e-3f * std::sin(float(p));
      }
    const Result expected = reference(c);
    for_each_isa([&] {
      const Result got = fast(c, serial);
      std::printf("rstd off by %.2g, y by %.2g\n", double(max_difference(got.rstd, expected.rstd)),
                  double(max_difference(got.y, expected.y)));
      EXPECT_LT(max_difference(got.rstd, expected.rstd), 1e-6f);
    });
  }
}

TEST(GroupNormSilu, ExtremeActivationsStayFinite) {
  Case c(1, 32, 64, 1, true, false, true);
  for (float& s : c.shift) s *= 500;
  const Result expected = reference(c), got = fast(c, serial);
  expect_close(got, expected, 3e-5f);
  for (float y : got.y) ASSERT_TRUE(std::isfinite(y));
}

TEST(GroupNormSilu, ANaNReachesTheOutput) {
  Case c(1, 16, 64, 4, true, true, false);
  c.x[100] = NAN;
  const Result got = fast(c, serial);
  EXPECT_TRUE(std::isnan(got.y[100]));
}

Bfloat16 to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return {static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}

float from_bf16(Bfloat16 value) {
  const uint32_t bits = uint32_t{value.bits} << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}

TEST(GroupNormSilu, Bfloat16RoundsOnlyInputsAndOutputs) {
  for (bool last : {true, false}) {
    for (int64_t channels : {16, 48, 20}) {
      Case c(2, channels, 64, 4, last, true, true);
      std::vector<Bfloat16> x, dy, y(c.x.size()), dx(c.x.size());
      for (float& v : c.x) x.push_back(to_bf16(v)), v = from_bf16(x.back());
      for (float& v : c.dy) dy.push_back(to_bf16(v)), v = from_bf16(dy.back());
      const Result expected = reference(c);
      for_each_isa([&] {
        Result got(c);
        group_norm_forward(c.norm, x.data(), y.data(), got.mean.data(), got.rstd.data());
        group_norm_backward(c.norm, x.data(), dy.data(), got.mean.data(), got.rstd.data(), dx.data(), got.gradients());
        for (size_t i = 0; i < y.size(); ++i) {
          EXPECT_NEAR(from_bf16(y[i]), expected.y[i], 1e-5 + std::abs(expected.y[i]) / 250);
          EXPECT_NEAR(from_bf16(dx[i]), expected.dx[i], 1e-5 + std::abs(expected.dx[i]) / 250);
        }
        EXPECT_LT(max_difference(got.dweight, expected.dweight), 1e-4f);
        EXPECT_LT(max_difference(got.dscale, expected.dscale), 1e-4f);
      });
    }
  }
}

TEST(GroupNormSilu, RefusesGroupsThatDoNotDivideTheChannels) {
  Case c(1, 10, 4, 3, true, false, false);
  std::vector<float> mean(3), rstd(3);
  EXPECT_THROW(group_norm_forward(c.norm, c.x.data(), c.x.data(), mean.data(), rstd.data()), Error);
}

}  // namespace
}  // namespace perrin::kernels
