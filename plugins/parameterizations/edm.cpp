#include "level.hpp"

namespace perrin::parameterizations {
namespace {

struct Edm {
  static constexpr std::string_view id = "edm", version = "0.1.0";
  static constexpr std::string_view doc =
      "EDM's preconditioning: input and target of the network have unit variance at every noise level (2206.00364 "
      "Table 1). Reads the noise from sigma / alpha, so it goes with any schedule that has no pure end.";
  static std::vector<Key> keys() {
    return {Key::number("sigma_data", "0.5", "standard deviation of the data").above(0)};
  }
  explicit Edm(const Config& config) : sigma_data_(config.number("sigma_data")) {}

  // 2206.00364 Table 1, column "Ours", for y = x_t / alpha = x_0 + s eps with s = sigma / alpha:
  //   c_skip = sd^2 / (s^2 + sd^2), c_out = s sd / sqrt(s^2 + sd^2), c_in = 1 / sqrt(s^2 + sd^2), c_noise = ln(s) / 4,
  //   F = (x_0 - c_skip y) / c_out = (s x_0 / sd - sd eps) / sqrt(s^2 + sd^2)    (Eq. 8)
  // Multiplied out by alpha, c_skip and c_in act on x_t.
  perrin_coefficients coefficients(const perrin_time& at) const {
    if (at.alpha == 0 || at.sigma == 0)
      throw Failure(
          PERRIN_UNSUPPORTED,
          std::string("the schedule has a level of ") + (at.alpha == 0 ? "pure noise" : "pure signal") +
              ", where ln(sigma / alpha), which edm tells the network, is infinite: use parameterization v or "
              "flow, or a schedule such as edm");
    const double r = std::hypot(at.sigma, sigma_data_ * at.alpha);
    return {.c_in = 1 / r,
            .c_noise = std::log(at.sigma / at.alpha) / 4,
            .c_skip = sigma_data_ * sigma_data_ * at.alpha / (r * r),
            .c_out = at.sigma * sigma_data_ / r,
            .target_x0 = at.sigma / (sigma_data_ * r),
            .target_noise = -sigma_data_ * at.alpha / r};
  }

 private:
  double sigma_data_;
};
PERRIN_PARAMETERIZATION(Edm);

}  // namespace
}  // namespace perrin::parameterizations
