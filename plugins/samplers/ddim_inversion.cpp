#include "step.hpp"

namespace perrin::samplers {
namespace {

struct DdimInversion {
  static constexpr std::string_view id = "ddim-inversion", version = "0.1.0";
  static constexpr std::string_view aliases = "ddim-inverse ddim_inverse";
  static constexpr uint32_t flags = PERRIN_SAMPLER_INVERTS;
  static constexpr std::string_view doc =
      "From data to the noise that ddim makes it from (2010.02502 Sec. 4.3): ddim's steps backwards, with eps taken "
      "at the level above. ddim over the same steps returns to the data, the nearer the more steps there are.";
  static std::vector<Key> keys() { return {}; }
  explicit DdimInversion(const Config&) {}

  // x_u = alpha_u (x_t / alpha_t + (s_u - s_t) eps(x_t, u)), u noisier than t; pure noise, alpha_u = 0, is eps itself.
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      x = along_noise(steps, x, t, noise_in(steps, x, u, steps.denoise(x, u)), u);
    }
    return x;
  }
};
PERRIN_SAMPLER(DdimInversion);

}  // namespace
}  // namespace perrin::samplers
