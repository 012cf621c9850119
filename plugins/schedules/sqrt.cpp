#include "discrete.hpp"

namespace perrin::schedules {
namespace {

// 2205.14217 Appendix A: abar(u) = 1 - sqrt(u + s), u = t / T, capped where it passes 0 at the last step.
std::vector<double> betas(int64_t steps, double s, double cap) {
  return betas_of([s](double u) { return 1 - std::sqrt(u + s); }, steps, cap);
}

struct Sqrt : Discrete {
  static constexpr std::string_view id = "sqrt", version = "0.1.0";
  static constexpr std::string_view doc =
      "abar = 1 - sqrt(t / T + s), as in Diffusion-LM (2205.14217): noise comes fast at first, for embeddings that a "
      "little noise leaves readable. What LDM calls sqrt is another schedule.";
  static std::vector<Key> keys() {
    return {steps_key(),
            Key::number("offset", "1e-4", "s of the paper: the noise at the start is sqrt(s)").above(0).below(1),
            Key::number("max_beta", "0.999", "cap on each beta").above(0).below(1), zero_terminal_snr_key()};
  }
  static void validate(const Config& config) { validate_zero_terminal_snr(config); }
  explicit Sqrt(const Config& config)
      : Discrete(betas(config.integer("steps"), config.number("offset"), config.number("max_beta")),
                 config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(Sqrt);

}  // namespace
}  // namespace perrin::schedules
