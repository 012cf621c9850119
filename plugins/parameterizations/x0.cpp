#include "level.hpp"

namespace perrin::parameterizations {
namespace {

struct X0 {
  static constexpr std::string_view id = "x0", version = "0.1.0", aliases = "sample";
  static constexpr std::string_view doc = "The network predicts the clean sample x_0 (2006.11239 Sec. 3.2).";
  static std::vector<Key> keys() { return {}; }
  explicit X0(const Config&) {}

  // D = F
  perrin_coefficients coefficients(const perrin_time& at) const {
    return {.c_in = c_in(at), .c_noise = at.t, .c_skip = 0, .c_out = 1, .target_x0 = 1, .target_noise = 0};
  }
};
PERRIN_PARAMETERIZATION(X0);

}  // namespace
}  // namespace perrin::parameterizations
