#include "normal.hpp"
#include "perrin/cpp/timesteps.hpp"

namespace perrin::timesteps {
namespace {

struct LogNormal {
  static constexpr std::string_view id = "log-normal", version = "0.1.0";
  static constexpr std::string_view doc =
      "ln(sigma / alpha) ~ N(mean, deviation^2), cut off at the ends of the schedule (2206.00364 Table 1). Importance "
      "1: this law is part of the loss's weighting.";
  static std::vector<Key> keys() {
    return {Key::number("mean", "-1.2", "mean of ln(sigma / alpha)").alias("P_mean"),
            Key::number("deviation", "1.2", "deviation of ln(sigma / alpha)").above(0).alias("P_std")};
  }
  explicit LogNormal(const Config& config) : mean_(config.number("mean")), deviation_(config.number("deviation")) {}

  // log SNR = -2 ln(sigma / alpha)
  double draw_log_snr(double u, uint64_t, const perrin_time& cleanest, const perrin_time& noisiest, double&) const {
    const double low = cdf(cleanest), high = cdf(noisiest);
    if (high - low < 1e-9)
      throw Failure(
          PERRIN_INVALID_CONFIG,
          "the schedule has none of the noise levels that the law draws: bring `mean` within ln(sigma / alpha) "
          "of its ends");
    return -2 * (mean_ + deviation_ * normal_quantile(low + (high - low) * (1 - u)));
  }

 private:
  double cdf(const perrin_time& at) const {
    return normal_cdf((std::log(at.sigma) - std::log(at.alpha) - mean_) / deviation_);
  }

  double mean_, deviation_;
};
PERRIN_TIMESTEPS(LogNormal);

}  // namespace
}  // namespace perrin::timesteps
