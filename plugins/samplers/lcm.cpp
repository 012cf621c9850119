#include "perrin/cpp/sampler.hpp"

namespace perrin::samplers {
namespace {

struct Lcm {
  static constexpr std::string_view id = "lcm", version = "0.1.0";
  static constexpr std::string_view doc =
      "Multistep consistency sampling (2310.04378 Algorithm 3): each step denoises wholly and adds fresh noise of "
      "the next level. For consistency models, whose boundary scalings are their parameterization's.";
  static std::vector<Key> keys() { return {}; }
  explicit Lcm(const Config&) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time& u = steps[i + 1];
      x = steps.lincomb({{u.alpha, steps.denoise(x, steps[i])}}, u.sigma, i);
    }
    return x;
  }
};
PERRIN_SAMPLER(Lcm);

}  // namespace
}  // namespace perrin::samplers
