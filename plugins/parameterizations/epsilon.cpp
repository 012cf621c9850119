#include "level.hpp"

namespace perrin::parameterizations {
namespace {

struct Epsilon {
  static constexpr std::string_view id = "epsilon", version = "0.1.0", aliases = "eps";
  static constexpr std::string_view doc = "The network predicts the noise eps (2006.11239 Eq. 14).";
  static std::vector<Key> keys() { return {}; }
  explicit Epsilon(const Config&) {}

  // D = (x_t - sigma F) / alpha    (2006.11239 Eq. 15)
  perrin_coefficients coefficients(const perrin_time& at) const {
    if (at.alpha == 0)
      throw Failure(
          PERRIN_UNSUPPORTED,
          "the schedule ends in pure noise (alpha = 0, zero terminal SNR), where a predicted noise says nothing "
          "about x_0: use parameterization v or x0, or flow on schedule flow; or a schedule that ends earlier "
          "(zero_terminal_snr = false)");
    return {.c_in = c_in(at),
            .c_noise = at.t,
            .c_skip = 1 / at.alpha,
            .c_out = -at.sigma / at.alpha,
            .target_x0 = 0,
            .target_noise = 1};
  }
};
PERRIN_PARAMETERIZATION(Epsilon);

}  // namespace
}  // namespace perrin::parameterizations
