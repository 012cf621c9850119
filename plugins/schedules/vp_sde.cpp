#include "continuous.hpp"
#include "discrete.hpp"

namespace perrin::schedules {
namespace {

struct VpSde : Continuous<VpSde> {
  static constexpr std::string_view id = "vp-sde", version = "0.1.0";
  static constexpr std::string_view doc =
      "The variance-preserving SDE with beta(u) from beta_min to beta_max (2011.13456 Appendix C): `linear` in "
      "continuous time.";
  static std::vector<Key> keys() {
    return {Key::number("beta_min", "0.1", "beta(0)").min(0), Key::number("beta_max", "20.0", "beta(1)").above(0),
            u_min_key("1e-5"), time_scale_key(), zero_terminal_snr_key()};
  }
  static void validate(const Config& config) {
    if (config.number("beta_min") > config.number("beta_max"))
      throw Failure(PERRIN_INVALID_CONFIG, "beta_min has to be at most beta_max");
  }
  explicit VpSde(const Config& config)
      : Continuous(config.number("time_scale"), config.number("u_min"), 1),
        beta_min_(config.number("beta_min")),
        beta_d_(config.number("beta_max") - beta_min_),
        terminal_(config.boolean("zero_terminal_snr"), log_snr(config.number("u_min")), log_snr(1)) {}

  Level level(double u) const { return terminal_.level(log_snr(u)); }

  // Eq. 33 solved for u, by the root that does not cancel.
  double t_of_log_snr(double log_snr) const {
    const double x = -terminal_.undo(log_snr);
    const double c = std::min(0.5 * (std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)))), 1e300);  // -log alpha
    return time(2 * c / (0.5 * beta_min_ + std::sqrt(0.25 * beta_min_ * beta_min_ + beta_d_ * c)));
  }

 private:
  // log alpha = -u^2 (beta_max - beta_min) / 4 - u beta_min / 2    (2011.13456 Eq. 33)
  double log_snr(double u) const {
    const double log_alpha = -0.25 * u * u * beta_d_ - 0.5 * u * beta_min_;
    return 2 * log_alpha - std::log(-std::expm1(2 * log_alpha));
  }
  double beta_min_, beta_d_;
  TerminalSnr terminal_;
};
PERRIN_SCHEDULE(VpSde);

}  // namespace
}  // namespace perrin::schedules
