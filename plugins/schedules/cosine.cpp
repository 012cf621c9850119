#include "discrete.hpp"

namespace perrin::schedules {
namespace {

constexpr double pi = 3.14159265358979323846;

// 2102.09672 Eq. 17: abar(u) = f(u) / f(0), f(u) = cos^2((u + s) / (1 + s) pi / 2), u = t / T; betas capped.
std::vector<double> betas(int64_t steps, double s, double cap) {
  return betas_of([s](double u) { return std::pow(std::cos((u + s) / (1 + s) * pi / 2), 2); }, steps, cap);
}

// No rescale_to_T: abar is a function of t / T already.
struct Cosine : Discrete {
  static constexpr std::string_view id = "cosine", version = "0.1.0", aliases = "squaredcos_cap_v2";
  static constexpr std::string_view doc =
      "abar falls as a squared cosine, as in improved DDPM (2102.09672 Eq. 17). The same for every number of steps.";
  static std::vector<Key> keys() {
    return {steps_key(),
            Key::number("offset", "0.008", "s of the paper: keeps the first betas from vanishing").above(0).max(1),
            Key::number("max_beta", "0.999", "cap on each beta").above(0).below(1), zero_terminal_snr_key()};
  }
  static void validate(const Config& config) { validate_zero_terminal_snr(config); }
  explicit Cosine(const Config& config)
      : Discrete(betas(config.integer("steps"), config.number("offset"), config.number("max_beta")),
                 config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(Cosine);

}  // namespace
}  // namespace perrin::schedules
