#include "level.hpp"

namespace perrin::weightings {
namespace {

constexpr double pi = 3.14159265358979323846;

struct Cosmap {
  static constexpr std::string_view id = "cosmap", version = "0.1.0";
  static constexpr std::string_view doc =
      "2 / (pi (1 - 2 s + 2 s^2)) on the error of the flow's velocity eps - x_0, s its time in [0, 1]: the log SNR is "
      "then spread as by the cosine schedule (2403.03206 Sec. 3.1).";
  static std::vector<Key> keys() { return {}; }
  explicit Cosmap(const Config&) {}

  // On schedules other than the flow's, s = sigma / (alpha + sigma) is the flow's time of the same SNR; the velocity's
  // error is (alpha + sigma) / det that of F.
  double weight(const perrin_time& at, const perrin_coefficients& c) const {
    const double s = at.sigma / (at.alpha + at.sigma);
    return std::pow((at.alpha + at.sigma) / determinant(at, c), 2) * 2 / (pi * (1 - 2 * s + 2 * s * s));
  }
};
PERRIN_WEIGHTING(Cosmap);

}  // namespace
}  // namespace perrin::weightings
