#include "by_position.hpp"

namespace perrin::timesteps {
namespace {

struct Antithetic {
  static constexpr std::string_view id = "antithetic", version = "0.1.0";
  static constexpr std::string_view doc =
      "Samples in pairs, one as far from the clean end as the other from the noisy one, so that what the loss has of "
      "a slope in t cancels (the training of 2010.02502's code: t and T - 1 - t).";
  static std::vector<Key> keys() { return {}; }
  explicit Antithetic(const Config&) {}

  double draw(const Uniforms& u, uint64_t sample, const perrin_time_domain& domain) const {
    const double t = time_at_fraction(domain, u(sample / 2 * 2));
    return sample % 2 == 0 ? t : domain.t_min + domain.t_max - t;
  }
};
PERRIN_TIMESTEPS_BY_POSITION(Antithetic);

}  // namespace
}  // namespace perrin::timesteps
