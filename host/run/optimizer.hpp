// Flat AdamW with EMA, learning-rate schedule and gradient clipping over a ParameterSet.
#pragma once

#include <ATen/core/Tensor.h>

#include "host/config/experiment.hpp"
#include "host/run/parameters.hpp"

namespace perrin::run {

// Learning rate of the stage's step 1, 2, ...: linear from 0 over `warmup` steps, then constant or
// lr (1 + cos(pi (step - warmup) / (steps - warmup))) / 2.
double learning_rate(const config::Stage& stage, int64_t step);

// min(decay, (1 + step) / (10 + step)): the average forgets the first, useless weights.
double ema_decay(double decay, int64_t step);

class Optimizer {
 public:
  // Moments start at zero, the average at the present values; without ema_decay there is none.
  Optimizer(ParameterSet& parameters, const config::Stage& stage);

  struct Report {
    double lr = 0, grad_norm = 0;  // the norm before clipping, of the gradients averaged over `accumulate` batches
  };
  // Update number `step` of the stage, from the summed gradients. A norm that is not finite changes nothing.
  Report update(int64_t step);

  // The averaged values, or the values themselves without an average. [count] flat
  const at::Tensor& averaged() const { return ema_.defined() ? ema_ : parameters_.values(); }
  at::Tensor& first_moment() { return first_; }
  at::Tensor& second_moment() { return second_; }
  at::Tensor& ema() { return ema_; }

 private:
  double gradient_norm() const;

  ParameterSet& parameters_;
  const config::Stage& stage_;
  at::Tensor first_, second_, ema_;  // [count] flat float32
};

}  // namespace perrin::run
