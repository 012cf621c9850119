#include "level.hpp"

namespace perrin::parameterizations {
namespace {

struct V {
  static constexpr std::string_view id = "v", version = "0.1.0", aliases = "v_prediction";
  static constexpr std::string_view doc =
      "The network predicts the velocity v = alpha eps - sigma x_0 (2202.00512 Appendix D); works at zero terminal "
      "SNR.";
  static std::vector<Key> keys() { return {}; }
  explicit V(const Config&) {}

  // D = (alpha x_t - sigma F) / (alpha^2 + sigma^2); the paper's schedules have a denominator of 1.
  perrin_coefficients coefficients(const perrin_time& at) const {
    return {.c_in = c_in(at),
            .c_noise = at.t,
            .c_skip = at.alpha / variance(at),
            .c_out = -at.sigma / variance(at),
            .target_x0 = -at.sigma,
            .target_noise = at.alpha};
  }
};
PERRIN_PARAMETERIZATION(V);

}  // namespace
}  // namespace perrin::parameterizations
