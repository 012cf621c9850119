#include "host/images/resample.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace perrin::images {
namespace {

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

struct Filter {
  std::string_view name;
  double support;  // at scale 1, in source pixels
  double (*weight)(double x);
};
constexpr Filter kFilters[] = {{"lanczos", 3, lanczos},
                               {"bicubic", 2, bicubic},
                               {"bilinear", 1, bilinear},
                               {"box", 0.5, box},
                               {"nearest", 0, nullptr}};

const Filter* filter_called(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kFilters), std::end(kFilters), [&](const Filter& f) { return f.name == name; });
  return found == std::end(kFilters) ? nullptr : found;
}

// Which source pixels one target pixel is made of.
struct Taps {
  int64_t first = 0;
  std::vector<double> weights;  // sum 1
  int64_t end() const { return first + static_cast<int64_t>(weights.size()); }
};

Taps taps_at(int64_t i, int64_t from, double ratio, const Filter& filter) {
  const double centre = (static_cast<double>(i) + 0.5) * ratio;
  if (filter.weight == nullptr) return {static_cast<int64_t>(centre), {1.0}};
  const double scale = std::max(ratio, 1.0), support = filter.support * scale;
  Taps taps;
  taps.first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
  const int64_t end = std::min(from, static_cast<int64_t>(centre + support + 0.5));
  double sum = 0;
  for (int64_t j = taps.first; j < end; ++j)
    sum += taps.weights.emplace_back(filter.weight((static_cast<double>(j) - centre + 0.5) / scale));
  for (double& weight : taps.weights) weight /= sum;
  return taps;
}

// Of `n` target pixels from `first` on, where `from` source pixels become `to`.
std::vector<Taps> taps_of(uint64_t from, uint64_t to, uint64_t first, uint64_t n, const Filter& filter) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> all(n);
  for (uint64_t i = 0; i < n; ++i)
    all[i] = from == to ? Taps{static_cast<int64_t>(first + i), {1.0}}
                        : taps_at(static_cast<int64_t>(first + i), static_cast<int64_t>(from), ratio, filter);
  return all;
}

uint8_t rounded(double value) { return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

// One target pixel, of `inner` values that lie together; in: the source line, whose pixel `origin` it begins with.
void gather(const uint8_t* in, int64_t origin, const Taps& taps, std::vector<double>& sum, uint8_t* out) {
  in += static_cast<size_t>(taps.first - origin) * sum.size();
  std::fill(sum.begin(), sum.end(), 0.0);
  for (const double weight : taps.weights)
    for (double& s : sum) s += weight * *in++;
  for (const double s : sum) *out++ = rounded(s);
}

}  // namespace

bool is_filter(std::string_view name) { return filter_called(name) != nullptr; }

void resample(const perrin_image& from, std::string_view filter, const perrin_image_window& window, uint8_t* values) {
  const Filter& chosen = *filter_called(filter);
  const auto across = taps_of(from.width, window.width, window.left, window.columns, chosen);
  const auto down = taps_of(from.height, window.height, window.top, window.rows, chosen);
  int64_t top = down.front().first, bottom = down.front().end();  // the source rows that are needed
  for (const Taps& taps : down) top = std::min(top, taps.first), bottom = std::max(bottom, taps.end());
  const size_t row = window.columns * from.channels;
  std::vector<uint8_t> narrowed(static_cast<size_t>(bottom - top) * row);  // [bottom - top, columns, channels]
  std::vector<double> pixel(from.channels), line(row);
  for (int64_t y = top; y < bottom; ++y)
    for (size_t x = 0; x < window.columns; ++x)
      gather(from.values + static_cast<size_t>(y) * from.width * from.channels, 0, across[x], pixel,
             &narrowed[static_cast<size_t>(y - top) * row + x * from.channels]);
  for (size_t y = 0; y < window.rows; ++y) gather(narrowed.data(), top, down[y], line, values + y * row);
}

}  // namespace perrin::images
