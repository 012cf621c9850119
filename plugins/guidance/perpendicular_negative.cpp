#include "per_sample.hpp"

namespace perrin::guidance {
namespace {

struct PerpendicularNegative {
  static constexpr std::string_view id = "perpendicular-negative", version = "0.1.0";
  static constexpr std::string_view doc =
      "Classifier-free guidance that keeps away from a second class, but never against the wanted one: only the part "
      "of "
      "its direction that is perpendicular counts (Perp-Neg, 2304.04968).";
  static std::vector<Key> keys() {
    return {Key::integer("negative", nullptr, "the class to keep away from").min(0),
            Key::number("scale", "3.0", "of the whole direction").min(0).alias("guidance_scale"),
            Key::number("negative_scale", "1.0", "of the perpendicular part of the negative direction").min(0)};
  }
  explicit PerpendicularNegative(const Config& config)
      : negative_(config.integer("negative")),
        scale_(config.number("scale")),
        negative_scale_(config.number("negative_scale")) {}

  int64_t negative_label() const { return negative_; }
  uint32_t branches(const perrin_time&) const {
    return PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL | PERRIN_BRANCH_NEGATIVE;
  }

  // 2304.04968 Sec. 4: eps = eps_u + w (eps_pos - w_n eps_neg_perp), eps_pos = eps_c - eps_u, eps_neg = eps_n - eps_u,
  // eps_neg_perp = eps_neg - <eps_neg, eps_pos> / ||eps_pos||^2 eps_pos. eps = (x - alpha D) / sigma is affine in D and
  // the share has no scale, so the same formula holds for D.
  Handle guide(const perrin_guidance_step& step) const {
    const Handle D_u = Handle::borrow(step.unconditional);
    const Handle positive = combination({1, Handle::borrow(step.conditional)}, {-1, D_u});
    const Handle negative = combination({1, Handle::borrow(step.negative)}, {-1, D_u});
    const Handle parallel = times(projection(negative, positive), positive);
    const Handle perpendicular = combination({1, negative}, {-1, parallel});
    return combination({1, D_u}, {scale_, combination({1, positive}, {-negative_scale_, perpendicular})});
  }

 private:
  int64_t negative_;
  double scale_, negative_scale_;
};
PERRIN_GUIDANCE(PerpendicularNegative);

}  // namespace
}  // namespace perrin::guidance
