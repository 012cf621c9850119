#include "per_sample.hpp"

namespace perrin::guidance {
namespace {

struct ClassifierFree {
  static constexpr std::string_view id = "classifier-free", version = "0.1.0";
  static constexpr std::string_view doc =
      "D = D_u + scale (D_c - D_u), from the null and the given condition (2207.12598 Eq. 6, whose w is scale - 1), at "
      "all noise levels or in an interval of them (2404.07724), and with its contrast taken back (2305.08891 Sec. "
      "3.4). "
      "Needs a conditioner that dropped its condition in training.";
  static std::vector<Key> keys() {
    return {
        Key::number("scale", "3.0", "1: conditional, 0: unconditional, above 1: exaggerates the condition")
            .min(0)
            .alias("guidance_scale"),
        Key::numbers("interval", "[]",
                     "[low, high]: guide where low < sigma / alpha <= high and take the conditional prediction "
                     "elsewhere; empty: guide everywhere")
            .min(0),
        Key::number("rescale", "0.0",
                    "how far the deviation of what the network says of a sample returns to that of its conditional "
                    "word (phi of the paper, which uses 0.7; diffusers' guidance_rescale)")
            .min(0)
            .max(1)
            .alias("guidance_rescale"),
        Key::number("rescale_denoised", "0.0",
                    "the same of the denoised prediction D, whatever the network predicts; the two agree at alpha = 0")
            .min(0)
            .max(1)};
  }
  static void validate(const Config& config) {
    const std::vector<double> interval = config.numbers("interval");
    if (!interval.empty() && (interval.size() != 2 || !(interval[0] < interval[1])))
      throw Failure(PERRIN_INVALID_CONFIG, "interval must be [low, high] with low < high, or empty");
    if (config.number("rescale") > 0 && config.number("rescale_denoised") > 0)
      throw Failure(PERRIN_INVALID_CONFIG, "rescale and rescale_denoised both take the contrast back: give one");
  }
  explicit ClassifierFree(const Config& config)
      : scale_(config.number("scale")),
        of_output_(config.number("rescale")),
        of_denoised_(config.number("rescale_denoised")),
        interval_(config.numbers("interval")) {}

  // A branch whose coefficient is 0 is not computed.
  uint32_t branches(const perrin_time& at) const {
    const double w = scale_at(at);
    return (w != 0 || of_output_ > 0 || of_denoised_ > 0 ? PERRIN_BRANCH_CONDITIONAL : 0) |
           (w != 1 ? PERRIN_BRANCH_UNCONDITIONAL : 0);
  }
  Handle guide(const perrin_guidance_step& step) const {
    const double w = scale_at(step.at);
    const Handle D_c = Handle::borrow(step.conditional), D_u = Handle::borrow(step.unconditional);
    if (w == 1) return D_c;
    const Handle D = w == 0 ? D_u : combination({w, D_c}, {1 - w, D_u});
    if (of_denoised_ > 0) return rescaled(of_denoised_, D, D_c);
    return of_output_ > 0 ? with_output_rescaled(step, D, D_c) : D;
  }

 private:
  // 2404.07724 Sec. 3: w within the interval, 1 outside.
  double scale_at(const perrin_time& at) const {
    if (interval_.empty()) return scale_;
    return interval_[0] * at.alpha < at.sigma && at.sigma <= interval_[1] * at.alpha ? scale_ : 1;
  }

  // 2305.08891 Eqs. 15, 16, which is linear in the guided value: phi y std(y_c) / std(y) + (1 - phi) y
  static Handle rescaled(double phi, const Handle& y, const Handle& y_c) {
    static const Op std("aten::std", "dim");
    const Handle ratio =
        over(std(y_c, all_but_batch(y), true, true), std(y, all_but_batch(y), true, true));  // [B, 1, ...]
    return combination({phi, times(y, ratio)}, {1 - phi, y});
  }

  // Of F = (D - c_skip x) / c_out; c_out drops out.
  Handle with_output_rescaled(const perrin_guidance_step& step, const Handle& D, const Handle& D_c) const {
    const Handle x = Handle::borrow(step.x);
    const auto output = [&](const Handle& of) { return combination({1, of}, {-step.c_skip, x}); };
    return combination({step.c_skip, x}, {1, rescaled(of_output_, output(D), output(D_c))});
  }

  double scale_, of_output_, of_denoised_;
  std::vector<double> interval_;
};
PERRIN_GUIDANCE(ClassifierFree);

}  // namespace
}  // namespace perrin::guidance
