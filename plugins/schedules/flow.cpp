#include "continuous.hpp"

namespace perrin::schedules {
namespace {

// mu of FLUX.1: linear in the number of tokens (diffusers, pipeline_flux.py calculate_shift).
struct ShiftLine {
  double tokens_0, tokens_1, mu_0, mu_1;
  double operator()(double tokens) const { return mu_0 + (mu_1 - mu_0) * (tokens - tokens_0) / (tokens_1 - tokens_0); }
};

struct Flow : Continuous<Flow> {
  static constexpr std::string_view id = "flow", version = "0.1.0";
  static constexpr std::string_view doc =
      "The straight path of rectified flow: alpha = 1 - s, sigma = s (2209.03003, 2403.03206), with s = u shifted "
      "towards noise. Goes with parameterization `flow`; the last level is pure noise.";
  static std::vector<Key> keys() {
    return {Key::number("shift", "1.0", "k of s = k u / (1 + (k - 1) u); Stable Diffusion 3 samples with 3").above(0),
            Key::string("resolution_shift", "\"none\"",
                        "more noise for larger images: k is multiplied by the square root of tokens / base_tokens "
                        "(2403.03206 Eq. 23), or by exp(mu) with mu linear in the tokens (FLUX.1, diffusers' "
                        "use_dynamic_shifting)")
                .choices({"none", "square-root", "exponential"}),
            Key::integer("patch", "2", "side of a token: an image has height width / patch^2 of them").min(1),
            Key::number("base_tokens", "256", "tokens at which mu is base_shift, and the square root 1")
                .above(0)
                .alias("base_image_seq_len"),
            Key::number("max_tokens", "4096", "of resolution_shift `exponential`: tokens at which mu is max_shift")
                .above(0)
                .alias("max_image_seq_len"),
            Key::number("base_shift", "0.5", "of resolution_shift `exponential`: mu at base_tokens"),
            Key::number("max_shift", "1.15", "of resolution_shift `exponential`: mu at max_tokens"),
            u_min_key("1e-5"),
            time_scale_key()};
  }
  static void validate(const Config& config) {
    if (config.number("base_tokens") >= config.number("max_tokens"))
      throw Failure(PERRIN_INVALID_CONFIG, "base_tokens has to be smaller than max_tokens");
  }
  explicit Flow(const Config& config)
      : Continuous(config.number("time_scale"), config.number("u_min"), 1),
        k_(config.number("shift")),
        by_(config.string("resolution_shift")),
        patch_(static_cast<double>(config.integer("patch"))),
        mu_{config.number("base_tokens"), config.number("max_tokens"), config.number("base_shift"),
            config.number("max_shift")} {}

  // Data without height and width have no resolution and keep `shift`.
  void infer(const perrin_spec& z) {
    if (z.rank != 3) return;
    const double tokens = static_cast<double>(z.sizes[1] * z.sizes[2]) / (patch_ * patch_);
    if (by_ == "square-root") k_ *= std::sqrt(tokens / mu_.tokens_0);
    if (by_ == "exponential") k_ *= std::exp(mu_(tokens));
  }

  // 2403.03206 Eq. 23; 1 - s without cancellation.
  Level level(double u) const {
    const double d = 1 + (k_ - 1) * u;
    return {(1 - u) / d, k_ * u / d};
  }
  // alpha / sigma = (1 - u) / (k u)
  double t_of_log_snr(double log_snr) const { return time(1 / (1 + k_ * std::exp(log_snr / 2))); }

 private:
  double k_;
  std::string by_;
  double patch_;
  ShiftLine mu_;
};
PERRIN_SCHEDULE(Flow);

}  // namespace
}  // namespace perrin::schedules
