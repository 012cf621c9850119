#include "discrete.hpp"

namespace perrin::schedules {
namespace {

// GeoDiff (2203.02923, released code): a logistic curve over [-6, 6] between beta_start and beta_end.
std::vector<double> betas(const BetaRange& b) {
  std::vector<double> betas;
  for (int64_t i = 0; i < b.steps; ++i)
    betas.push_back(b.start + (b.end - b.start) / (1 + std::exp(-spaced(-6, 6, i, b.steps))));
  return betas;
}

struct Sigmoid : Discrete {
  static constexpr std::string_view id = "sigmoid", version = "0.1.0";
  static constexpr std::string_view doc = "Betas along a logistic curve over [-6, 6], as in GeoDiff (2203.02923).";
  static std::vector<Key> keys() { return beta_keys("1e-4", "0.02"); }
  static void validate(const Config& config) { validate_betas(config); }
  explicit Sigmoid(const Config& config) : Discrete(betas(BetaRange(config)), config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(Sigmoid);

}  // namespace
}  // namespace perrin::schedules
