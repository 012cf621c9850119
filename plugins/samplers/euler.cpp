#include "churn.hpp"

namespace perrin::samplers {
namespace {

struct Euler {
  static constexpr std::string_view id = "euler", version = "0.1.0";
  static constexpr std::string_view aliases = "flow-euler edm-euler";
  static constexpr std::string_view doc =
      "Euler steps of the probability flow in sigma / alpha, with optional churn (2206.00364 Algorithm 2 without its "
      "second order; k-diffusion's sample_euler). Without churn it takes ddim's steps at eta 0, which are also "
      "Euler's along a flow path.";
  static std::vector<Key> keys() { return Churn::keys(); }
  static void validate(const Config& config) { Churn::validate(config); }
  explicit Euler(const Config& config) : churn_(config) {}

  // y' = y + (s' - s) (y - D) / s
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      perrin_time t = steps[i];
      x = churn_.raise(steps, i, std::move(x), t);
      x = first_order(steps, x, t, steps.denoise(x, t), steps[i + 1]);
    }
    return x;
  }

 private:
  Churn churn_;
};
PERRIN_SAMPLER(Euler);

}  // namespace
}  // namespace perrin::samplers
