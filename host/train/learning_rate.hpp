// The learning rate as a function of the step.
#pragma once

#include <cstdint>

#include "host/config/experiment.hpp"

namespace perrin::train {

// Learning rate of the stage's step 1, 2, ..., n = steps, with W = warmup:
//   constant, linear, cosine, inverse-sqrt   lr step / W up to step W, then
//     constant       lr
//     linear         lr (1 - p), p = (step - W) / (n - W)
//     cosine         lr (1 + cos(pi p)) / 2
//     inverse-sqrt   lr sqrt(min(1, s / step)), s = lr_decay_start, else W, else 1
//   one-cycle        cosines from lr / 25 at step 1 up to lr at step W (0.3 n if W = 0), down to lr / 250000 at step n
double learning_rate(const config::Stage& stage, int64_t step);

}  // namespace perrin::train
