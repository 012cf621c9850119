#include "continuous.hpp"

namespace perrin::schedules {
namespace {

struct Polyexponential : Continuous<Polyexponential> {
  static constexpr std::string_view id = "polyexponential", version = "0.1.0";
  static constexpr std::string_view doc =
      "alpha = 1 and log sigma rising with a power of time, as k-diffusion's get_sigmas_polyexponential; rho = 1 is "
      "`exponential`.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = sigma_keys("0.002", "80.0");
    keys.push_back(Key::number("rho", "1.0", "above 1 gives more of the time to low noise").above(0));
    keys.push_back(time_scale_key());
    return keys;
  }
  static void validate(const Config& config) { validate_sigmas(config); }
  explicit Polyexponential(const Config& config)
      : Continuous(config.number("time_scale"), 0, 1),
        rho_(config.number("rho")),
        low_(std::log(config.number("sigma_min"))),
        high_(std::log(config.number("sigma_max"))) {}

  // log sigma = log sigma_min + u^rho (log sigma_max - log sigma_min)
  Level level(double u) const { return {1, std::exp(low_ + std::pow(u, rho_) * (high_ - low_))}; }
  double t_of_log_snr(double log_snr) const {
    return time(std::pow(std::max((-log_snr / 2 - low_) / (high_ - low_), 0.0), 1 / rho_));
  }

 private:
  double rho_, low_, high_;
};
PERRIN_SCHEDULE(Polyexponential);

}  // namespace
}  // namespace perrin::schedules
