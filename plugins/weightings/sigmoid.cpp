#include "level.hpp"

namespace perrin::weightings {
namespace {

struct Sigmoid {
  static constexpr std::string_view id = "sigmoid", version = "0.1.0";
  static constexpr std::string_view doc =
      "sigmoid(b - lambda) on the error of eps, lambda = log SNR: falls with the SNR, so that the loss is a sum of "
      "ELBOs (2303.00848), with the bias of 2410.19324.";
  static std::vector<Key> keys() {
    return {Key::number("bias", "-1.0", "b, the log SNR at which the weight is a half; lower for larger images")
                .unit("log SNR")
                .alias("sigmoid_bias")};
  }
  explicit Sigmoid(const Config& config) : exp_b_(std::exp(config.number("bias"))) {}

  // sigmoid(b - lambda) = 1 / (1 + SNR e^-b)
  double weight(const perrin_time& at, const perrin_coefficients& c) const {
    return eps_error(at, c) / (1 + snr(at) / exp_b_);
  }

 private:
  double exp_b_;
};
PERRIN_WEIGHTING(Sigmoid);

}  // namespace
}  // namespace perrin::weightings
