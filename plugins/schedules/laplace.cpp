#include "continuous.hpp"
#include "discrete.hpp"

namespace perrin::schedules {
namespace {

struct Laplace : Continuous<Laplace> {
  static constexpr std::string_view id = "laplace", version = "0.1.0";
  static constexpr std::string_view doc =
      "log SNR distributed as a Laplace law around mu, so that training dwells where signal and noise are about equal "
      "(2407.03297).";
  static std::vector<Key> keys() {
    return {
        Key::number("mu", "0.0", "log SNR that training sees most"),
        Key::number("b", "0.5", "width of the law").above(0),
        Key::number("u_min", "5e-7", "time runs from u_min to 1 - u_min, so log SNR stays within mu +- b |ln(2 u_min)|")
            .above(0)
            .max(0.1),
        time_scale_key(), zero_terminal_snr_key()};
  }
  explicit Laplace(const Config& config)
      : Continuous(config.number("time_scale"), config.number("u_min"), 1 - config.number("u_min")),
        mu_(config.number("mu")),
        b_(config.number("b")),
        terminal_(config.boolean("zero_terminal_snr"), log_snr(config.number("u_min")),
                  log_snr(1 - config.number("u_min"))) {}

  Level level(double u) const { return terminal_.level(log_snr(u)); }
  double t_of_log_snr(double log_snr) const {
    const double x = (terminal_.undo(log_snr) - mu_) / b_, tail = std::exp(-std::abs(x)) / 2;
    return time(x > 0 ? tail : 1 - tail);
  }

 private:
  // lambda(u) = mu - b sgn(1/2 - u) ln(1 - 2 |u - 1/2|)    (2407.03297, its table of schedules)
  double log_snr(double u) const { return u < 0.5 ? mu_ - b_ * std::log(2 * u) : mu_ + b_ * std::log(2 * (1 - u)); }

  double mu_, b_;
  TerminalSnr terminal_;
};
PERRIN_SCHEDULE(Laplace);

}  // namespace
}  // namespace perrin::schedules
