// Where a guidance's other model stands in its own schedule.
#pragma once

#include "host/model/model.hpp"

namespace perrin::sample {

// Where the guide sees the noise level `at`: its own level of the same log SNR, or the nearest that it has, and the
// factor that takes x from the one to the other.
struct GuideLevel {
  perrin_time at;
  double scale = 1;
};
GuideLevel guide_level(const model::Model& guide, const perrin_time& at);

}  // namespace perrin::sample
