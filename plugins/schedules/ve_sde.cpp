#include "continuous.hpp"

namespace perrin::schedules {
namespace {

struct VeSde : Continuous<VeSde> {
  static constexpr std::string_view id = "ve-sde", version = "0.1.0";
  static constexpr std::string_view doc =
      "The variance-exploding SDE (2011.13456 Appendix C): alpha = 1, sigma = sigma_min (sigma_max / sigma_min)^u. "
      "sigma_max about the largest distance between two samples: 50 for CIFAR-10, 1348 for faces of 1024 x 1024.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = sigma_keys("0.01", "50.0");
    keys.push_back(time_scale_key());
    return keys;
  }
  static void validate(const Config& config) { validate_sigmas(config); }
  explicit VeSde(const Config& config)
      : Continuous(config.number("time_scale"), 0, 1),
        sigma_min_(config.number("sigma_min")),
        ratio_(config.number("sigma_max") / sigma_min_) {}

  // 2011.13456 Eq. 31
  Level level(double u) const { return {1, sigma_min_ * std::pow(ratio_, u)}; }
  double t_of_log_snr(double log_snr) const {
    return time(std::log(sigma_of(log_snr) / sigma_min_) / std::log(ratio_));
  }

 private:
  double sigma_min_, ratio_;
};
PERRIN_SCHEDULE(VeSde);

}  // namespace
}  // namespace perrin::schedules
