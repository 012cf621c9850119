#include "continuous.hpp"

namespace perrin::schedules {
namespace {

// The paper's own time is sigma, in which even steps would spend nearly all on high noise.
struct Edm : Continuous<Edm> {
  static constexpr std::string_view id = "edm", version = "0.1.0";
  static constexpr std::string_view doc =
      "alpha = 1 and every sigma from sigma_min to sigma_max (2206.00364 Table 1), told by t = ln(sigma) / 4: what "
      "EDM's "
      "networks are given, so uniform times are log-uniform noise. The paper trains with timesteps `log-normal` and "
      "samples with spacing `karras`.";
  static std::vector<Key> keys() { return sigma_keys("0.002", "80.0"); }
  static void validate(const Config& config) { validate_sigmas(config); }
  explicit Edm(const Config& config)
      : Continuous(1, std::log(config.number("sigma_min")) / 4, std::log(config.number("sigma_max")) / 4) {}

  Level level(double c_noise) const { return {1, std::exp(4 * c_noise)}; }
  double t_of_log_snr(double log_snr) const { return time(-log_snr / 8); }
};
PERRIN_SCHEDULE(Edm);

}  // namespace
}  // namespace perrin::schedules
