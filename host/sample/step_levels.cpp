#include "host/sample/step_levels.hpp"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace perrin::sample {
namespace {

using List = std::array<double, 11>;

// 2404.14507 Table 3, lists that their range tells apart.
constexpr std::array<List, 3> kAlignYourSteps = {
    {{14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029},    // Stable Diffusion 1.5
     {160.41, 8.081, 3.315, 1.885, 1.207, 0.785, 0.553, 0.293, 0.186, 0.030, 0.006},    // DeepFloyd-IF, stage 1
     {700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002}}};  // Stable Video Diffusion
// The same table's Stable Diffusion XL, which has Stable Diffusion 1.5's range.
constexpr List kAlignYourStepsSdxl = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};

// How far apart the ends are, in log sigma.
double distance(const List& list, NoiseRange range) {
  return std::abs(std::log(list.front() / range.high)) + std::abs(std::log(list.back() / range.low));
}
constexpr double kRounded = 0.01;  // of a list written with three digits

// i / n, 0 for a list of one.
double fraction(int64_t i, int64_t n) { return n == 0 ? 0 : static_cast<double>(i) / static_cast<double>(n); }

// The i-th of n + 1 values from f(high) to f(low) in equal steps, mapped back.
template <class F, class Inverse>
std::vector<double> even(int64_t n, NoiseRange range, F&& f, Inverse&& inverse) {
  const double high = f(range.high), low = f(range.low);
  std::vector<double> levels = {range.high};
  for (int64_t i = 1; i + 1 < n; ++i) levels.push_back(inverse(high + fraction(i, n - 1) * (low - high)));
  if (n > 1) levels.push_back(range.low);
  return levels;
}

// The first n of n + 1 levels of a list, interpolated, its ends put on `range`'s own.
std::vector<double> aligned(const List& list, int64_t n, NoiseRange range) {
  const double high = range.high;
  if (distance(list, range) < kRounded) range = {list.back(), list.front()};
  const double stretch = std::log(range.high / range.low) / std::log(list.front() / list.back());
  std::vector<double> levels;
  for (int64_t i = 0; i < n; ++i) {
    const double position = fraction(i, n) * static_cast<double>(list.size() - 1);
    const auto k = static_cast<size_t>(position);
    const double w = position - static_cast<double>(k);
    const double log_sigma = (1 - w) * std::log(list[k]) + w * std::log(list[k + 1]);
    levels.push_back(range.low * std::exp(stretch * (log_sigma - std::log(list.back()))));
  }
  levels.front() = high;
  return levels;
}

}  // namespace

std::vector<double> karras_levels(int64_t n, NoiseRange range, double rho) {
  return even(
      n, range, [&](double sigma) { return std::pow(sigma, 1 / rho); },
      [&](double root) { return std::pow(root, rho); });
}

std::vector<double> exponential_levels(int64_t n, NoiseRange range) {
  return even(
      n, range, [](double sigma) { return std::log(sigma); }, [](double log_sigma) { return std::exp(log_sigma); });
}

std::vector<double> ays_levels(int64_t n, NoiseRange range) {
  return aligned(
      *std::min_element(kAlignYourSteps.begin(), kAlignYourSteps.end(),
                        [&](const List& a, const List& b) { return distance(a, range) < distance(b, range); }),
      n, range);
}

std::vector<double> ays_sdxl_levels(int64_t n, NoiseRange range) { return aligned(kAlignYourStepsSdxl, n, range); }

std::vector<double> beta_quantiles(int64_t n) {
  std::vector<double> quantiles;
  for (int64_t i = 0; i < n; ++i) quantiles.push_back(boost::math::ibeta_inv(0.6, 0.6, 1 - fraction(i, n)));
  return quantiles;
}

}  // namespace perrin::sample
