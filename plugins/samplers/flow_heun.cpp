#include "step.hpp"

namespace perrin::samplers {
namespace {

struct FlowHeun {
  static constexpr std::string_view id = "flow-heun", version = "0.1.0";
  static constexpr std::string_view doc =
      "Heun's method along the straight path of flow matching (2209.03003 Eq. 1), two denoiser calls a step, one in "
      "the last. Other schedules are rescaled to that path. Not heun, which takes the same path's steps in sigma / "
      "alpha.";
  static std::vector<Key> keys() { return {}; }
  explicit FlowHeun(const Config&) {}

  // z = x / (alpha + sigma) = (1 - r) x_0 + r eps with r = sigma / (alpha + sigma), dz/dr = v(z, r) = (z - D) / r.
  // Heun: z' = z + (r' - r) (v + v') / 2; finite at alpha = 0, where r = 1.
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      const Handle euler = first_order(steps, x, t, D, u);
      if (u.sigma > 0) {
        const Handle D_u = steps.denoise(euler, u);
        const double scale = u.alpha + u.sigma, r = t.sigma / (t.alpha + t.sigma), r_u = u.sigma / scale;
        const double half = scale * (r_u - r) / 2;
        x = steps.lincomb({{1 + half / u.sigma, euler}, {-half / r_u, D_u}, {-half / t.sigma, x}, {half / r, D}});
      } else {
        x = euler;
      }
    }
    return x;
  }
};
PERRIN_SAMPLER(FlowHeun);

}  // namespace
}  // namespace perrin::samplers
