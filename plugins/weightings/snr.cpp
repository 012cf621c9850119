#include "level.hpp"

namespace perrin::weightings {
namespace {

struct Snr {
  static constexpr std::string_view id = "snr", version = "0.1.0";
  static constexpr std::string_view doc =
      "SNR on the error of x_0, which is 1 on the error of eps: the simple loss (2006.11239 Eq. 14) whatever the "
      "network predicts (2202.00512 Sec. 4).";
  static std::vector<Key> keys() { return {}; }
  explicit Snr(const Config&) {}

  // SNR ||D - x_0||^2 = ||eps_hat - eps||^2
  double weight(const perrin_time& at, const perrin_coefficients& c) const { return eps_error(at, c); }
};
PERRIN_WEIGHTING(Snr);

}  // namespace
}  // namespace perrin::weightings
