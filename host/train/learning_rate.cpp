#include "host/train/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace perrin::train {
namespace {

// From `from` at p = 0 to `to` at p = 1.
double cosine(double from, double to, double p) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * p));
}

// 1708.07120, section 3, with the shape, the default factors and the ends of torch.optim.lr_scheduler.OneCycleLR.
double one_cycle(double lr, double steps, double rise, double step) {
  constexpr double kFirst = 25, kLast = 1e4;
  const double peak = rise > 0 ? rise : 0.3 * steps;
  if (step < peak) return cosine(lr / kFirst, lr, (step - 1) / (peak - 1));
  if (steps <= peak) return lr;
  return cosine(lr, lr / kFirst / kLast, (step - peak) / (steps - peak));
}

}  // namespace

double learning_rate(const config::Stage& stage, int64_t step) {
  const double lr = stage.optimizer.get<double>("lr");
  const auto now = static_cast<double>(step), warmup = static_cast<double>(stage.warmup);
  const auto steps = static_cast<double>(stage.steps);
  if (stage.lr_schedule == "one-cycle") return one_cycle(lr, steps, warmup, now);
  if (step <= stage.warmup) return lr * now / warmup;
  if (stage.lr_schedule == "constant") return lr;
  if (stage.lr_schedule == "inverse-sqrt") {
    const auto start = static_cast<double>(stage.table.get<int64_t>("lr_decay_start"));
    return lr * std::sqrt(std::min(1.0, (start > 0 ? start : std::max(warmup, 1.0)) / now));
  }
  const double progress = (now - warmup) / (steps - warmup);
  return stage.lr_schedule == "linear" ? lr * (1 - progress) : cosine(lr, 0, progress);
}

}  // namespace perrin::train
