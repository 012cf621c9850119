#include "host/train/ema.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_solve.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"

namespace perrin::train {
namespace {

struct Power {
  double gamma, time;
};

// The integral of the product of two profiles (gamma + 1) tau^gamma / t^(gamma + 1), 0 <= tau <= t (Eq. 151).
double inner_product(const Power& a, const Power& b) {
  if (a.time > b.time) return inner_product(b, a);
  return (a.gamma + 1) * (b.gamma + 1) / (a.gamma + b.gamma + 1) * std::pow(a.time / b.time, b.gamma) / b.time;
}

Power power_of(const Profile& p) { return {power_gamma(p.sigma_rel), p.time}; }

}  // namespace

double ema_decay(double decay, int64_t step) {
  return std::min(decay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
}

// Newton's method from above the root, where the cubic is convex and rises: gamma + 2 < 1 / sigma_rel.
double power_gamma(double sigma_rel) {
  if (!(sigma_rel > 0 && sigma_rel <= 0.28))
    throw Error("a power-function average has no relative width " + std::to_string(sigma_rel), "",
                "choose one above 0 and at most 0.28, such as 0.05 or 0.1");
  const double t = 1 / (sigma_rel * sigma_rel);
  double gamma = 1 / sigma_rel;
  for (int i = 0; i < 100; ++i) {
    const double value = ((gamma + 7) * gamma + 16 - t) * gamma + 12 - t;
    const double next = gamma - value / ((3 * gamma + 14) * gamma + 16 - t);
    if (!(next < gamma)) break;
    gamma = next;
  }
  return gamma;
}

double power_decay(double gamma, int64_t step) { return std::pow(1 - 1 / static_cast<double>(step), gamma + 1); }

std::vector<double> reconstruction(std::span<const Profile> held, const Profile& wanted) {
  const auto n = static_cast<int64_t>(held.size());
  std::vector<Power> powers;
  for (const Profile& p : held) {
    for (const Profile& q : held.first(powers.size()))
      if (p.sigma_rel == q.sigma_rel && p.time == q.time) throw Error("an average is there twice");
    powers.push_back(power_of(p));
  }
  at::Tensor a = at::empty({n, n}, at::kDouble), b = at::empty({n}, at::kDouble);
  for (int64_t i = 0; i < n; ++i) {
    const Power& p = powers[static_cast<size_t>(i)];
    for (int64_t j = 0; j < n; ++j)
      a.mutable_data_ptr<double>()[i * n + j] = inner_product(p, powers[static_cast<size_t>(j)]);
    b.mutable_data_ptr<double>()[i] = inner_product(p, power_of(wanted));
  }
  const at::Tensor solved = at::linalg_solve(a, b);
  std::vector<double> x(solved.const_data_ptr<double>(), solved.const_data_ptr<double>() + n);
  double sum = 0;
  for (const double each : x) sum += each;
  for (double& each : x) each /= sum;
  return x;
}

Averages::Averages(const config::Stage& stage, const at::Tensor& values)
    : decay_(stage.ema_decay), warm_up_(stage.table.get<std::string>("ema") == "warm-up") {
  if (stage.table.get<std::string>("ema") == "power")
    sigma_rel_ = stage.table.get<std::vector<double>>("ema_sigma_rel");
  for (const double width : sigma_rel_) gamma_.push_back(power_gamma(width));
  const size_t count = gamma_.empty() ? decay_ > 0 : gamma_.size();
  for (size_t i = 0; i < count; ++i) flat_.push_back(values.clone());
}

double Averages::decay(size_t index, int64_t step) const {
  if (!gamma_.empty()) return power_decay(gamma_[index], step);
  return warm_up_ ? ema_decay(decay_, step) : decay_;
}

std::string Averages::prefix(size_t index) { return "ema" + (index > 0 ? std::to_string(index + 1) : "") + "."; }

}  // namespace perrin::train
