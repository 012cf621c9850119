// One update of a ParameterSet: learning rate, gradient clipping, the chosen rule, the averages.
#pragma once

#include <ATen/core/Tensor.h>

#include "host/config/experiment.hpp"
#include "host/model/parameters.hpp"
#include "host/train/ema.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {

// What a stage's training keeps beside the weights.
struct Training {
  const Averages* averages = nullptr;  // borrowed
  std::vector<StateTensor> state;      // of all optimizers
};

class Optimizer {
 public:
  // State starts at zero, averages at the present values. Borrows both; what is trained may not change afterwards.
  Optimizer(model::ParameterSet& parameters, const config::Stage& stage);

  struct Report {
    double lr = 0, grad_norm = 0;  // the norm before clipping, of the gradients averaged over `accumulate` batches
  };
  // Update number `step` of the stage, from the summed gradients. A norm that is not finite changes nothing.
  Report update(int64_t step);

  // The averaged values, or the values themselves without an average. [count] flat
  const at::Tensor& averaged() const { return averages_.flat().empty() ? parameters_.values() : averages_.flat()[0]; }
  const Averages& averages() const { return averages_; }

  // What goes on beside weights and averages; the tensors are the state itself.
  std::vector<StateTensor> state() const { return rule_->state(); }
  Training training() const { return {&averages_, state()}; }

 private:
  double gradient_norm() const;

  model::ParameterSet& parameters_;
  const config::Stage& stage_;
  Averages averages_;
  std::unique_ptr<Rule> rule_;
};

}  // namespace perrin::train
