#include "level.hpp"

namespace perrin::parameterizations {
namespace {

struct Flow {
  static constexpr std::string_view id = "flow", version = "0.1.0", aliases = "flow_prediction";
  static constexpr std::string_view doc =
      "The network predicts the velocity eps - x_0 of the straight path from data to noise (2209.03003 Eq. 1, "
      "2210.02747). "
      "Other schedules are read as points of that path, s = sigma / (alpha + sigma).";
  static std::vector<Key> keys() {
    return {
        Key::number("time_scale", "1000.0",
                    "the network is given time_scale s: 1000 as Stable Diffusion 3's is, 1 for networks of s itself")
            .above(0)
            .alias("num_train_timesteps")};
  }
  explicit Flow(const Config& config) : time_scale_(config.number("time_scale")) {}

  // On the path y = x_t / (alpha + sigma) = (1 - s) x_0 + s eps, dy/ds = eps - x_0, so D = y - s F.
  perrin_coefficients coefficients(const perrin_time& at) const {
    const double sum = flow_sum(at), s = at.sigma / sum;
    return {.c_in = 1 / sum,
            .c_noise = time_scale_ * s,
            .c_skip = 1 / sum,
            .c_out = -s,
            .target_x0 = -1,
            .target_noise = 1};
  }

 private:
  // alpha + sigma; exactly 1 on the flow schedule, whatever its rounding.
  static double flow_sum(const perrin_time& at) {
    const double sum = at.alpha + at.sigma;
    return std::abs(sum - 1) < 1e-12 ? 1 : sum;
  }
  double time_scale_;
};
PERRIN_PARAMETERIZATION(Flow);

}  // namespace
}  // namespace perrin::parameterizations
