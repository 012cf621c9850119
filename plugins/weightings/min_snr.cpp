#include <algorithm>

#include "level.hpp"

namespace perrin::weightings {
namespace {

struct MinSnr {
  static constexpr std::string_view id = "min-snr", version = "0.1.0";
  static constexpr std::string_view doc =
      "min(SNR, gamma) on the error of x_0, so that nearly clean levels do not dominate (2303.09556).";
  static std::vector<Key> keys() {
    return {Key::number("gamma", "5.0", "cap on the signal-to-noise ratio").above(0).alias("snr_gamma")};
  }
  explicit MinSnr(const Config& config) : gamma_(config.number("gamma")) {}

  // 2303.09556 Sec. 3.4: w = min(SNR, gamma) for x_0, carried to F's target by c_out^2: min(SNR, gamma) / SNR for eps,
  // min(SNR, gamma) / (SNR + 1) for v.
  double weight(const perrin_time& at, const perrin_coefficients& c) const {
    return x0_error(c) * std::min(snr(at), gamma_);
  }

 private:
  double gamma_;
};
PERRIN_WEIGHTING(MinSnr);

}  // namespace
}  // namespace perrin::weightings
