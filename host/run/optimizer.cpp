#include "host/run/optimizer.hpp"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "host/kernels/tensors.hpp"

namespace perrin::run {
namespace {

at::Tensor slice(const at::Tensor& flat, const Range& range) {
  return flat.defined() ? flat.narrow(0, range.begin, range.end - range.begin) : flat;
}

}  // namespace

double learning_rate(const config::Stage& stage, int64_t step) {
  const double lr = stage.optimizer.lr;
  if (step <= stage.warmup) return lr * static_cast<double>(step) / static_cast<double>(stage.warmup);
  if (stage.lr_schedule == "constant") return lr;
  const double progress = static_cast<double>(step - stage.warmup) / static_cast<double>(stage.steps - stage.warmup);
  return lr * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

double ema_decay(double decay, int64_t step) {
  return std::min(decay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
}

Optimizer::Optimizer(ParameterSet& parameters, const config::Stage& stage)
    : parameters_(parameters),
      stage_(stage),
      first_(at::zeros_like(parameters.values())),
      second_(at::zeros_like(parameters.values())) {
  if (stage.ema_decay > 0) ema_ = parameters.values().clone();
}

// Ranges in order, each a fixed tree: the bits do not depend on threads.
double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const Range& range : parameters_.trained_ranges()) {
    const double norm = kernels::norm2(slice(parameters_.gradients(), range));
    sum += norm * norm;
  }
  return std::sqrt(sum) / static_cast<double>(stage_.accumulate);
}

Optimizer::Report Optimizer::update(int64_t step) {
  const Report report{learning_rate(stage_, step), gradient_norm()};
  if (!std::isfinite(report.grad_norm)) return report;
  kernels::AdamW options;
  options.lr = report.lr;
  options.beta1 = stage_.optimizer.beta1;
  options.beta2 = stage_.optimizer.beta2;
  options.eps = stage_.optimizer.eps;
  options.step = step;
  options.grad_scale = 1.0 / static_cast<double>(stage_.accumulate);
  if (stage_.clip_norm > 0 && report.grad_norm > stage_.clip_norm) options.grad_scale *= stage_.clip_norm / report.grad_norm;
  options.ema_decay = ema_decay(stage_.ema_decay, step);
  for (const Range& range : parameters_.trained_ranges()) {
    options.weight_decay = range.decay ? stage_.optimizer.weight_decay : 0;
    kernels::adamw_ema(options,
                       {slice(parameters_.values(), range), slice(parameters_.gradients(), range), slice(first_, range),
                        slice(second_, range), slice(ema_, range)});
  }
  return report;
}

}  // namespace perrin::run
