#include "continuous.hpp"

namespace perrin::schedules {
namespace {

struct Karras : Continuous<Karras> {
  static constexpr std::string_view id = "karras", version = "0.1.0";
  static constexpr std::string_view doc =
      "alpha = 1 and sigma^(1 / rho) rising evenly with time (2206.00364 Eq. 5): times in equal steps are the paper's "
      "sampling steps.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = sigma_keys("0.002", "80.0");
    keys.push_back(Key::number("rho", "7.0", "higher gives more of the time to low noise").above(0));
    keys.push_back(time_scale_key());
    return keys;
  }
  static void validate(const Config& config) { validate_sigmas(config); }
  explicit Karras(const Config& config)
      : Continuous(config.number("time_scale"), 0, 1),
        rho_(config.number("rho")),
        low_(std::pow(config.number("sigma_min"), 1 / rho_)),
        high_(std::pow(config.number("sigma_max"), 1 / rho_)) {}

  // 2206.00364 Eq. 5, with u = 1 - i / (N - 1)
  Level level(double u) const { return {1, std::pow(low_ + u * (high_ - low_), rho_)}; }
  double t_of_log_snr(double log_snr) const {
    return time((std::pow(sigma_of(log_snr), 1 / rho_) - low_) / (high_ - low_));
  }

 private:
  double rho_, low_, high_;
};
PERRIN_SCHEDULE(Karras);

}  // namespace
}  // namespace perrin::schedules
