// DPM-Solver's single steps of order 1 to 3 (2206.00927 Algorithms 1 and 2), which dpm-fast and dpm-adaptive are made
// of.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// One step from t with eps there. Each member gives x at u; s1, s2 lie between, r1, r2 are their shares of h in lambda.
class DpmSolverStep {
 public:
  DpmSolverStep(const Sampling& steps, const Handle& x, const perrin_time& t)
      : steps_(steps), x_(x), t_(t), eps_(noise_in(steps, x, t, steps.denoise(x, t))) {}

  // Order 1, Eq. 3.7: alpha_u / alpha_t x - sigma_u (e^h - 1) eps
  Handle first(const perrin_time& u) const { return along_noise(steps_, x_, t_, eps_, u); }

  // Algorithm 1 (order 2) after eps1 at s1: ... - sigma_u / (2 r1) (e^h - 1) (eps1 - eps)
  Handle second(const perrin_time& s1, const Handle& eps1, const perrin_time& u) const {
    return add(u, noise_change(t_, u) / (2 * share(s1, u)), eps1);
  }

  // Algorithm 2 (order 3), its u_2: ... - sigma_s2 r2 / r1 ((e^(r2 h) - 1) / (r2 h) - 1) (eps1 - eps)
  Handle inner(const perrin_time& s1, const Handle& eps1, const perrin_time& s2) const {
    return add(s2, -s2.sigma / share(s1, s2) * phi_2(s2), eps1);
  }
  // Algorithm 2 after eps2 at s2: ... - sigma_u / r2 ((e^h - 1) / h - 1) (eps2 - eps)
  Handle third(const perrin_time& s2, const Handle& eps2, const perrin_time& u) const {
    return add(u, -u.sigma / share(s2, u) * phi_2(u), eps2);
  }

  // eps of a state in between.
  Handle noise_at(const Handle& x, const perrin_time& s) const { return noise_in(steps_, x, s, steps_.denoise(x, s)); }

 private:
  double share(const perrin_time& s, const perrin_time& u) const {
    return (lambda(s) - lambda(t_)) / (lambda(u) - lambda(t_));
  }
  double phi_2(const perrin_time& u) const {
    const double h = lambda(u) - lambda(t_);
    return std::expm1(h) / h - 1;
  }
  Handle add(const perrin_time& u, double c, const Handle& eps_s) const {
    return steps_.lincomb({{u.alpha / t_.alpha, x_}, {noise_change(t_, u) - c, eps_}, {c, eps_s}});
  }

  const Sampling& steps_;
  const Handle& x_;
  perrin_time t_;
  Handle eps_;
};

}  // namespace perrin::samplers
