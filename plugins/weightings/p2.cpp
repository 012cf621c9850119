#include "level.hpp"

namespace perrin::weightings {
namespace {

struct P2 {
  static constexpr std::string_view id = "p2", version = "0.1.0";
  static constexpr std::string_view doc =
      "1 / (k + SNR)^gamma on the error of eps, which turns training from imperceptible detail to content (2204.00227 "
      "Sec. 3.2).";
  static std::vector<Key> keys() {
    return {Key::number("k", "1.0", "keeps the weight finite at low SNR").above(0).alias("p2_k"),
            Key::number("gamma", "1.0", "how fast the weight falls with the SNR; 0: the simple loss")
                .min(0)
                .alias("p2_gamma")};
  }
  explicit P2(const Config& config) : k_(config.number("k")), gamma_(config.number("gamma")) {}

  // 2204.00227 Sec. 3.2: lambda_t / (k + SNR)^gamma, lambda_t being the weight of the simple loss on eps
  double weight(const perrin_time& at, const perrin_coefficients& c) const {
    return eps_error(at, c) / std::pow(k_ + snr(at), gamma_);
  }

 private:
  double k_, gamma_;
};
PERRIN_WEIGHTING(P2);

}  // namespace
}  // namespace perrin::weightings
