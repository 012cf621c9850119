#include <algorithm>

#include "level.hpp"

namespace perrin::weightings {
namespace {

struct TruncatedSnr {
  static constexpr std::string_view id = "truncated-snr", version = "0.1.0";
  static constexpr std::string_view doc =
      "max(SNR, 1) on the error of x_0, so that noisy levels keep a weight; made for distillation, where the SNR "
      "reaches 0 (2202.00512 Sec. 4).";
  static std::vector<Key> keys() { return {}; }
  explicit TruncatedSnr(const Config&) {}

  // max(||D - x_0||^2, ||eps_hat - eps||^2) = max(1, SNR) ||D - x_0||^2
  double weight(const perrin_time& at, const perrin_coefficients& c) const {
    return std::max(x0_error(c), eps_error(at, c));
  }
};
PERRIN_WEIGHTING(TruncatedSnr);

}  // namespace
}  // namespace perrin::weightings
