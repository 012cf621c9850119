#include "discrete.hpp"

namespace perrin::schedules {
namespace {

// 2006.11239 Sec. 4: beta from beta_start to beta_end in equal steps.
std::vector<double> betas(const BetaRange& b) {
  std::vector<double> betas;
  for (int64_t i = 0; i < b.steps; ++i) betas.push_back(spaced(b.start, b.end, i, b.steps));
  return betas;
}

struct Linear : Discrete {
  static constexpr std::string_view id = "linear", version = "0.1.0", aliases = "sqrt_linear";
  static constexpr std::string_view doc =
      "Betas in equal steps, as in DDPM (2006.11239). What LDM and SGM call linear is scaled-linear here.";
  static std::vector<Key> keys() { return beta_keys("1e-4", "0.02"); }
  static void validate(const Config& config) { validate_betas(config); }
  explicit Linear(const Config& config) : Discrete(betas(BetaRange(config)), config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(Linear);

}  // namespace
}  // namespace perrin::schedules
