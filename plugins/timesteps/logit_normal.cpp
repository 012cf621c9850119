#include "fraction.hpp"
#include "normal.hpp"

namespace perrin::timesteps {
namespace {

struct LogitNormal {
  static constexpr std::string_view id = "logit-normal", version = "0.1.0";
  static constexpr std::string_view doc =
      "logit(x) ~ N(mean, deviation^2) for x in (0, 1) along the schedule's times: the middle more often than the "
      "ends (2403.03206 Eq. 19). Importance 1: this law is part of the loss's weighting.";
  static std::vector<Key> keys() {
    return {Key::number("mean", "0.0", "above 0: noisier levels more often").alias("logit_mean"),
            Key::number("deviation", "1.0", "lower: more of the middle").above(0).alias("logit_std")};
  }
  explicit LogitNormal(const Config& config) : mean_(config.number("mean")), deviation_(config.number("deviation")) {}

  double draw(double u, uint64_t, const perrin_time_domain& domain, double&) const {
    const double logit = mean_ + deviation_ * normal_quantile(1 - u);
    return time_at_fraction(domain, 1 / (1 + std::exp(-logit)));
  }

 private:
  double mean_, deviation_;
};
PERRIN_TIMESTEPS(LogitNormal);

}  // namespace
}  // namespace perrin::timesteps
