#include "host/train/optimizer.hpp"

#include <cmath>

#include "host/kernels/tensors.hpp"
#include "host/train/learning_rate.hpp"

namespace perrin::train {

Optimizer::Optimizer(model::ParameterSet& parameters, const config::Stage& stage)
    : parameters_(parameters),
      stage_(stage),
      averages_(stage, parameters.values()),
      rule_(make_rule(parameters, stage.optimizer)) {}

// Ranges in order, each a fixed tree: the bits do not depend on threads.
double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const model::Range& range : parameters_.trained_ranges()) {
    const double norm = kernels::norm2(slice(parameters_.gradients(), range.begin, range.end));
    sum += norm * norm;
  }
  return std::sqrt(sum) / static_cast<double>(stage_.accumulate);
}

// The first average moves in the rule's pass over the weights, further ones in a pass of their own, and all of them in
// one where weights are normalised after the rule's.
Optimizer::Report Optimizer::update(int64_t step) {
  const Report report{learning_rate(stage_, step), gradient_norm()};
  if (!std::isfinite(report.grad_norm)) return report;
  const std::vector<at::Tensor>& averages = averages_.flat();
  Update update{report.lr, step, 1.0 / static_cast<double>(stage_.accumulate), {}, 0};
  if (stage_.clip_norm > 0 && report.grad_norm > stage_.clip_norm)
    update.grad_scale *= stage_.clip_norm / report.grad_norm;
  const bool fused = !averages.empty() && !parameters_.normalises();
  if (fused) update.ema = averages[0], update.ema_decay = averages_.decay(0, step);
  rule_->update(update);
  parameters_.normalise();
  for (size_t i = fused ? 1 : 0; i < averages.size(); ++i)
    for (const model::Range& r : parameters_.trained_ranges())
      kernels::ema(averages_.decay(i, step), slice(parameters_.values(), r.begin, r.end),
                   slice(averages[i], r.begin, r.end));
  return report;
}

}  // namespace perrin::train
