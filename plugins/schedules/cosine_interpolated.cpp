#include "continuous.hpp"
#include "discrete.hpp"

namespace perrin::schedules {
namespace {

struct CosineInterpolated : Continuous<CosineInterpolated> {
  static constexpr std::string_view id = "cosine-interpolated", version = "0.1.0";
  static constexpr std::string_view doc =
      "The cosine schedule moved in log SNR by the resolution, from noise_d_high at the clean end to noise_d_low at "
      "the noisy one (simple diffusion, 2301.11093 Sec. 3.1): images larger than noise_d get more noise. Equal "
      "noise_d is the paper's shifted schedule. No inverse in closed form: the host searches.";
  static std::vector<Key> keys() {
    return {Key::number("noise_d_low", "32", "resolution whose noise level holds at u = 1").above(0).unit("pixels"),
            Key::number("noise_d_high", "256", "resolution whose noise level holds at u = 0").above(0).unit("pixels"),
            Key::number("image_d", "0", "side of the images; 0: as the data are, and no shift for data without a side")
                .min(0)
                .unit("pixels"),
            Key::number("log_snr_min", "-15", "log SNR at u = 1, before the shift"),
            Key::number("log_snr_max", "15", "log SNR at u = 0, before the shift"),
            time_scale_key(),
            zero_terminal_snr_key()};
  }
  static void validate(const Config& config) {
    if (config.number("noise_d_low") > config.number("noise_d_high"))
      throw Failure(PERRIN_INVALID_CONFIG, "noise_d_low has to be at most noise_d_high");
    if (config.number("log_snr_min") >= config.number("log_snr_max"))
      throw Failure(PERRIN_INVALID_CONFIG, "log_snr_min has to be smaller than log_snr_max");
  }
  explicit CosineInterpolated(const Config& config)
      : Continuous(config.number("time_scale"), 0, 1),
        low_(config.number("noise_d_low")),
        high_(config.number("noise_d_high")),
        image_d_(config.number("image_d")),
        theta_0_(std::atan(std::exp(-0.5 * config.number("log_snr_max")))),
        theta_1_(std::atan(std::exp(-0.5 * config.number("log_snr_min")))),
        zero_(config.boolean("zero_terminal_snr")) {}

  void infer(const perrin_spec& z) {
    if (image_d_ == 0 && z.rank == 3) image_d_ = std::sqrt(static_cast<double>(z.sizes[1] * z.sizes[2]));
  }

  Level level(double u) const { return TerminalSnr(zero_, log_snr(0), log_snr(1)).level(log_snr(u)); }

 private:
  // 2301.11093 Sec. 3.1: logSNR_shift(u) = -2 ln tan(pi u / 2) + 2 ln(noise_d / image_d), and
  // u logSNR_shift(low) + (1 - u) logSNR_shift(high)
  double log_snr(double u) const {
    const double cosine = -2 * std::log(std::tan(theta_0_ + u * (theta_1_ - theta_0_)));
    if (image_d_ == 0) return cosine;
    return cosine + 2 * (u * std::log(low_ / image_d_) + (1 - u) * std::log(high_ / image_d_));
  }
  double low_, high_, image_d_, theta_0_, theta_1_;
  bool zero_;
};
PERRIN_SCHEDULE(CosineInterpolated);

}  // namespace
}  // namespace perrin::schedules
