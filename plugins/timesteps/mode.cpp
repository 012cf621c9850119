#include "fraction.hpp"

namespace perrin::timesteps {
namespace {

constexpr double pi = 3.14159265358979323846;

struct Mode {
  static constexpr std::string_view id = "mode", version = "0.1.0";
  static constexpr std::string_view doc =
      "A density along the schedule's times with a peak in the middle that no time escapes, or a dip (2403.03206 Eq. "
      "20). Importance 1: this law is part of the loss's weighting.";
  static std::vector<Key> keys() {
    return {Key::number("scale", "1.29", "s of the paper: above 0 the middle more often, below 0 the ends; 0: uniform")
                .min(-1)
                .max(1.75)  // 2 / (pi - 2) = 1.7519...: beyond it f is not monotonic
                .alias("mode_scale")};
  }
  explicit Mode(const Config& config) : scale_(config.number("scale")) {}

  // f(u) = 1 - u - s (cos^2(pi u / 2) - 1 + u)
  double draw(double u, uint64_t, const perrin_time_domain& domain, double&) const {
    const double cosine = std::cos(pi * u / 2);
    return time_at_fraction(domain, std::fmax(0, 1 - u - scale_ * (cosine * cosine - 1 + u)));
  }

 private:
  double scale_;
};
PERRIN_TIMESTEPS(Mode);

}  // namespace
}  // namespace perrin::timesteps
