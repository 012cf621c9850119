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
    return {Key::number("scale", "3.0", "1: conditional, 0: unconditional, above 1: exaggerates the condition")
                .min(0)
                .alias("guidance_scale"),
            Key::numbers("interval", "[]",
                         "[low, high]: guide where low < sigma / alpha <= high and take the conditional prediction "
                         "elsewhere; empty: guide everywhere")
                .min(0),
            Key::number("rescale", "0.0",
                        "how far each sample's deviation returns to the conditional prediction's; the paper uses 0.7")
                .min(0)
                .max(1)
                .alias("guidance_rescale")};
  }
  static void validate(const Config& config) {
    const std::vector<double> interval = config.numbers("interval");
    if (!interval.empty() && (interval.size() != 2 || !(interval[0] < interval[1])))
      throw Failure(PERRIN_INVALID_CONFIG, "interval must be [low, high] with low < high, or empty");
  }
  explicit ClassifierFree(const Config& config)
      : scale_(config.number("scale")), rescale_(config.number("rescale")), interval_(config.numbers("interval")) {}

  // A branch whose coefficient is 0 is not computed.
  uint32_t branches(const perrin_time& at) const {
    const double w = scale_at(at);
    return (w != 0 || rescale_ > 0 ? PERRIN_BRANCH_CONDITIONAL : 0) | (w != 1 ? PERRIN_BRANCH_UNCONDITIONAL : 0);
  }
  Handle combine(const perrin_time& at, const Handle& D_c, const Handle& D_u) const {
    const double w = scale_at(at);
    if (w == 1) return D_c;
    const Handle D = w == 0 ? D_u : combination({w, D_c}, {1 - w, D_u});
    return rescale_ > 0 ? rescaled(D, D_c) : D;
  }

 private:
  // 2404.07724 Sec. 3: w within the interval, 1 outside.
  double scale_at(const perrin_time& at) const {
    if (interval_.empty()) return scale_;
    return interval_[0] * at.alpha < at.sigma && at.sigma <= interval_[1] * at.alpha ? scale_ : 1;
  }

  // 2305.08891 Eqs. 15, 16: phi D std(D_c) / std(D) + (1 - phi) D, of D where the paper takes the network's output. The
  // two agree at alpha = 0, from where the excess of contrast comes.
  Handle rescaled(const Handle& D, const Handle& D_c) const {
    static const Op std("aten::std", "dim");
    const Handle ratio =
        over(std(D_c, all_but_batch(D), true, true), std(D, all_but_batch(D), true, true));  // [B, 1, ...]
    return combination({rescale_, times(D, ratio)}, {1 - rescale_, D});
  }

  double scale_, rescale_;
  std::vector<double> interval_;
};
PERRIN_GUIDANCE(ClassifierFree);

}  // namespace
}  // namespace perrin::guidance
