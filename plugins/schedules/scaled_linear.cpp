#include "discrete.hpp"

namespace perrin::schedules {
namespace {

// LDM (2112.10752, released configurations): sqrt(beta) in equal steps.
std::vector<double> betas(const BetaRange& b) {
  std::vector<double> betas;
  for (int64_t i = 0; i < b.steps; ++i) {
    const double root = spaced(std::sqrt(b.start), std::sqrt(b.end), i, b.steps);
    betas.push_back(root * root);
  }
  return betas;
}

struct ScaledLinear : Discrete {
  static constexpr std::string_view id = "scaled-linear", version = "0.1.0", aliases = "scaled_linear";
  static constexpr std::string_view doc =
      "Square roots of beta in equal steps, as in latent diffusion (2112.10752), which calls it linear.";
  static std::vector<Key> keys() { return beta_keys("8.5e-4", "0.012"); }
  static void validate(const Config& config) { validate_betas(config); }
  explicit ScaledLinear(const Config& config)
      : Discrete(betas(BetaRange(config)), config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(ScaledLinear);

}  // namespace
}  // namespace perrin::schedules
