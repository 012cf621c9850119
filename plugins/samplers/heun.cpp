#include "churn.hpp"
#include "heun_step.hpp"

namespace perrin::samplers {
namespace {

struct Heun {
  static constexpr std::string_view id = "heun", version = "0.1.0";
  static constexpr std::string_view aliases = "edm-heun";
  static constexpr std::string_view doc =
      "EDM's second-order sampler with optional churn (2206.00364 Algorithm 2): Heun's method on the probability "
      "flow in sigma / alpha, two denoiser calls a step, one in the last.";
  static std::vector<Key> keys() { return Churn::keys(); }
  static void validate(const Config& config) { Churn::validate(config); }
  explicit Heun(const Config& config) : churn_(config) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      perrin_time t = steps[i];
      x = churn_.raise(steps, i, std::move(x), t);
      x = heun_step(steps, x, t, steps[i + 1]);
    }
    return x;
  }

 private:
  Churn churn_;
};
PERRIN_SAMPLER(Heun);

}  // namespace
}  // namespace perrin::samplers
