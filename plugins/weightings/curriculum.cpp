#include <algorithm>

#include "level.hpp"

namespace perrin::weightings {
namespace {

constexpr double pi = 3.14159265358979323846;

struct Curriculum {
  static constexpr std::string_view id = "curriculum", version = "0.1.0";
  static constexpr std::string_view doc =
      "Easy noise levels first: training starts with the noisiest of `clusters` and takes in the next noisiest one "
      "after the other, all by the share `pace` of the stage (2403.10348). The levels that wait have weight 0, "
      "so it needs a timestep law that draws noisy levels.";
  static std::vector<Key> keys() {
    return {
        Key::integer("clusters", "20", "parts into which the noise levels are cut").min(2).max(1000),
        Key::number("pace", "0.5", "share of the stage's steps after which all levels are trained").above(0).max(1)};
  }
  explicit Curriculum(const Config& config)
      : clusters_(static_cast<double>(config.integer("clusters"))), pace_(config.number("pace")) {}

  double weight(const perrin_time&, const perrin_coefficients&) const { return 1; }

  // 2403.10348: the n-th stage of the curriculum trains on C_N-n+1 .. C_N. The paper ends a stage when its loss
  // stalls; here stages have equal lengths, so that a run can be repeated and planned.
  double weight_at_step(double progress, const perrin_time& at, const perrin_coefficients&) const {
    return pace_ * cluster(at) / (clusters_ - 1) < progress ? 1 : 0;
  }

 private:
  // 0 for the noisiest. Equal parts of u = 2 / pi atan(sigma / alpha), the time at which the cosine schedule
  // (2102.09672 Eq. 17, s = 0) has this SNR: on it the paper's equal intervals of t, and the same levels on every other
  // schedule.
  double cluster(const perrin_time& at) const {
    const double u = 2 / pi * std::atan2(at.sigma, at.alpha);
    return std::min(std::floor((1 - u) * clusters_), clusters_ - 1);
  }

  double clusters_, pace_;
};
PERRIN_WEIGHTING(Curriculum);

}  // namespace
}  // namespace perrin::weightings
