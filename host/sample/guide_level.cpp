#include "host/sample/guide_level.hpp"

#include <cmath>

namespace perrin::sample {

GuideLevel guide_level(const model::Model& guide, const perrin_time& at) {
  const perrin_time same = guide.times.at(at.t);
  if (same.alpha == at.alpha && same.sigma == at.sigma) return {same, 1};
  if (at.sigma == 0) return {{guide.times.domain().t_min, 1, 0}, 1 / at.alpha};
  const perrin_time level = guide.times.at_log_snr(model::log_snr(at));
  return {level, std::hypot(level.alpha, level.sigma) / std::hypot(at.alpha, at.sigma)};
}

}  // namespace perrin::sample
