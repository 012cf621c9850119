#include "perrin/cpp/guidance.hpp"

namespace perrin::guidance {
namespace {

struct ClassifierFree {
  static constexpr std::string_view id = "classifier-free", version = "0.1.0";
  static constexpr std::string_view doc =
      "D = D_u + scale (D_c - D_u), from the null and the given condition (2207.12598 Eq. 6, whose w is scale - 1). "
      "Needs a "
      "conditioner that dropped its condition in training.";
  static std::vector<Key> keys() {
    return {Key::number("scale", "3.0", "1: conditional, 0: unconditional, above 1: exaggerates the condition")
                .min(0)
                .alias("guidance_scale")};
  }
  explicit ClassifierFree(const Config& config) : scale_(config.number("scale")) {}

  // A branch whose coefficient is 0 is not computed.
  uint32_t branches(const perrin_time&) const {
    return (scale_ != 0 ? PERRIN_BRANCH_CONDITIONAL : 0) | (scale_ != 1 ? PERRIN_BRANCH_UNCONDITIONAL : 0);
  }
  Handle combine(const perrin_time&, const Handle& conditional, const Handle& unconditional) const {
    if (scale_ == 1) return conditional;
    if (scale_ == 0) return unconditional;
    return combination({scale_, conditional}, {1 - scale_, unconditional});
  }

 private:
  double scale_;
};
PERRIN_GUIDANCE(ClassifierFree);

}  // namespace
}  // namespace perrin::guidance
