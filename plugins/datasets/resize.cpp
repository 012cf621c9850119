#include "resize.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace perrin::datasets {
namespace {

struct Filter {
  double support;  // of the filter at scale 1, in source pixels
  double (*weight)(double x);
};

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

double lanczos(double x) { return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double bilinear(double x) { return std::max(0.0, 1 - std::abs(x)); }

double box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }

Filter filter_called(const std::string& name) {
  if (name == "lanczos") return {3, lanczos};
  if (name == "bicubic") return {2, bicubic};
  if (name == "bilinear") return {1, bilinear};
  return {0.5, box};
}

// Which source pixels one target pixel is made of.
struct Taps {
  int64_t first = 0;
  std::vector<double> weights;  // sum 1
};

std::vector<Taps> taps_of(int64_t from, int64_t to, const std::string& name) {
  std::vector<Taps> all(static_cast<size_t>(to));
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  if (name == "nearest") {
    for (int64_t i = 0; i < to; ++i)
      all[static_cast<size_t>(i)] = {static_cast<int64_t>((static_cast<double>(i) + 0.5) * ratio), {1.0}};
    return all;
  }
  const Filter filter = filter_called(name);
  const double scale = std::max(ratio, 1.0), support = filter.support * scale;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio;
    Taps& taps = all[static_cast<size_t>(i)];
    taps.first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t end = std::min(from, static_cast<int64_t>(centre + support + 0.5));
    double sum = 0;
    for (int64_t j = taps.first; j < end; ++j)
      sum += taps.weights.emplace_back(filter.weight((static_cast<double>(j) - centre + 0.5) / scale));
    for (double& weight : taps.weights) weight /= sum;
  }
  return all;
}

uint8_t rounded(double value) { return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

// Along one axis: `outer` lines of `from` pixels, each of `inner` values that lie together.
std::vector<uint8_t> pass(const std::vector<uint8_t>& values, int64_t outer, int64_t from, int64_t inner,
                          const std::vector<Taps>& taps) {
  const auto to = static_cast<int64_t>(taps.size());
  std::vector<uint8_t> result(static_cast<size_t>(outer * to * inner));
  std::vector<double> sum(static_cast<size_t>(inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < to; ++i) {
      const Taps& t = taps[static_cast<size_t>(i)];
      std::fill(sum.begin(), sum.end(), 0.0);
      const uint8_t* in = &values[static_cast<size_t>((o * from + t.first) * inner)];
      for (double weight : t.weights)
        for (double& s : sum) s += weight * *in++;
      uint8_t* out = &result[static_cast<size_t>((o * to + i) * inner)];
      for (double s : sum) *out++ = rounded(s);
    }
  }
  return result;
}

}  // namespace

Pixels resize(const Pixels& from, int64_t height, int64_t width, const std::string& filter) {
  Pixels result{from.height, width, from.channels, from.values};
  if (width != from.width)
    result.values = pass(from.values, from.height, from.width, from.channels, taps_of(from.width, width, filter));
  if (height != from.height)
    result.values = pass(result.values, 1, from.height, width * from.channels, taps_of(from.height, height, filter));
  result.height = height;
  return result;
}

}  // namespace perrin::datasets
