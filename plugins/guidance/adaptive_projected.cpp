#include "per_sample.hpp"

namespace perrin::guidance {
namespace {

struct AdaptiveProjected {
  static constexpr std::string_view id = "adaptive-projected", version = "0.1.0";
  static constexpr std::string_view doc =
      "Classifier-free guidance whose direction is averaged over the steps, bounded in size, and weakened along the "
      "conditional D, so that high scales do not saturate (APG, 2410.02416 Algorithm 1).";
  static std::vector<Key> keys() {
    return {
        Key::number("scale", "7.0", "1: conditional, above 1: exaggerates the condition")
            .min(0)
            .alias("guidance_scale"),
        Key::number("eta", "0.0", "share of the part along the conditional D; 1: as classifier-free").min(0),
        Key::number("norm_threshold", "0.0", "the paper's r: the largest norm of a sample's direction; 0: any").min(0),
        Key::number("momentum", "-0.5", "the paper's beta: share of the steps before; below 0: away from them")
            .above(-1)
            .below(1)};
  }
  explicit AdaptiveProjected(const Config& config)
      : scale_(config.number("scale")),
        eta_(config.number("eta")),
        r_(config.number("norm_threshold")),
        beta_(config.number("momentum")) {}

  uint32_t branches(const perrin_time&) const {
    return PERRIN_BRANCH_CONDITIONAL | (scale_ != 1 ? PERRIN_BRANCH_UNCONDITIONAL : 0);
  }

  // 2410.02416 Sec. 4: D_c + (w - 1) (delta_perpendicular + eta delta_parallel), delta split along D_c.
  Handle guide(const perrin_guidance_step& step) {
    const Handle D_c = Handle::borrow(step.conditional);
    if (scale_ == 1) return D_c;
    const Handle delta = bounded(averaged(step));
    const Handle parallel = times(projection(delta, D_c), D_c);
    return combination({1, D_c}, {scale_ - 1, combination({1, delta}, {eta_ - 1, parallel})});
  }

 private:
  // delta <- D_c - D_u + beta delta, from 0 at the start of each trajectory.
  Handle averaged(const perrin_guidance_step& step) {
    Handle delta = combination({1, Handle::borrow(step.conditional)}, {-1, Handle::borrow(step.unconditional)});
    if (beta_ == 0) return delta;
    if (step.first == 0 && average_) delta = combination({1, delta}, {beta_, average_});
    return average_ = delta;
  }

  // min(1, r / ||delta||) delta
  Handle bounded(const Handle& delta) const {
    if (r_ == 0) return delta;
    static const Op norm("aten::linalg_vector_norm"), reciprocal("aten::reciprocal"), mul("aten::mul", "Scalar"),
        clamp_max("aten::clamp_max");
    const Handle size = norm(delta, 2.0, all_but_batch(delta), true);  // [B, 1, ...]
    return times(clamp_max(mul(reciprocal(size), r_), 1.0), delta);
  }

  double scale_, eta_, r_, beta_;
  Handle average_;  // of the present trajectory
};
PERRIN_GUIDANCE(AdaptiveProjected);

}  // namespace
}  // namespace perrin::guidance
