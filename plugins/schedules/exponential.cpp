#include "continuous.hpp"

namespace perrin::schedules {
namespace {

struct Exponential : Continuous<Exponential> {
  static constexpr std::string_view id = "exponential", version = "0.1.0";
  static constexpr std::string_view doc =
      "alpha = 1 and log sigma rising evenly with time, as k-diffusion's get_sigmas_exponential.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = sigma_keys("0.002", "80.0");
    keys.push_back(time_scale_key());
    return keys;
  }
  static void validate(const Config& config) { validate_sigmas(config); }
  explicit Exponential(const Config& config)
      : Continuous(config.number("time_scale"), 0, 1),
        low_(std::log(config.number("sigma_min"))),
        high_(std::log(config.number("sigma_max"))) {}

  // log sigma = log sigma_min + u (log sigma_max - log sigma_min)
  Level level(double u) const { return {1, std::exp(low_ + u * (high_ - low_))}; }
  double t_of_log_snr(double log_snr) const { return time((-log_snr / 2 - low_) / (high_ - low_)); }

 private:
  double low_, high_;
};
PERRIN_SCHEDULE(Exponential);

}  // namespace
}  // namespace perrin::schedules
