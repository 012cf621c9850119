// What multistep samplers share: the latest network evaluations, and the weights that integrate the polynomial through
// them.
#pragma once

#include <vector>

#include "step.hpp"

namespace perrin::samplers {

// D or eps at the latest levels, newest first.
class History {
 public:
  struct Entry {
    perrin_time at;
    Handle value;
  };
  explicit History(size_t keep) : keep_(keep) {}

  void add(const perrin_time& at, Handle value) {
    entries_.insert(entries_.begin(), {at, std::move(value)});
    if (entries_.size() > keep_) entries_.pop_back();
  }
  size_t size() const { return entries_.size(); }
  const Entry& operator[](size_t i) const { return entries_[i]; }

 private:
  size_t keep_;
  std::vector<Entry> entries_;
};

// sum of `others` and c[i] history[i]. REQUIRES: 1 <= c.size() <= 4.
template <class... Terms>
Handle weighted(const Sampling& steps, const std::vector<double>& c, const History& h, const Terms&... others) {
  switch (c.size()) {
    case 1:
      return steps.lincomb({others..., {c[0], h[0].value}});
    case 2:
      return steps.lincomb({others..., {c[0], h[0].value}, {c[1], h[1].value}});
    case 3:
      return steps.lincomb({others..., {c[0], h[0].value}, {c[1], h[1].value}, {c[2], h[2].value}});
    default:
      return steps.lincomb({others..., {c[0], h[0].value}, {c[1], h[1].value}, {c[2], h[2].value}, {c[3], h[3].value}});
  }
}

// The integrals of w(v) l_i(v), with l_i the Lagrange polynomials of the nodes, from the moments, those of w(v) v^k. As
// many moments as nodes are read.
inline std::vector<double> lagrange_weights(const std::vector<double>& node, const std::vector<double>& moment) {
  std::vector<double> weights;
  for (size_t i = 0; i < node.size(); ++i) {
    std::vector<double> l = {1};  // coefficients of l_i, the constant first
    for (size_t j = 0; j < node.size(); ++j) {
      if (j == i) continue;
      l.push_back(0);
      for (size_t k = l.size(); k-- > 0;) l[k] = ((k > 0 ? l[k - 1] : 0) - node[j] * l[k]) / (node[i] - node[j]);
    }
    double sum = 0;
    for (size_t k = 0; k < l.size(); ++k) sum += l[k] * moment[k];
    weights.push_back(sum);
  }
  return weights;
}

// The integrals of e^(z v) v^k over 0 <= v <= 1, k = 0 .. n-1, n <= 5: a series where the recurrence would cancel.
inline std::vector<double> exponential_moments(double z, size_t n) {
  std::vector<double> E;
  for (size_t k = 0; k < n; ++k) {
    double sum = 0, term = 1;
    if (std::abs(z) < 2)
      for (int j = 0; j < 30; term *= z / ++j) sum += term / static_cast<double>(k + 1 + static_cast<size_t>(j));
    else
      sum = k == 0 ? std::expm1(z) / z : (std::exp(z) - static_cast<double>(k) * E.back()) / z;
    E.push_back(sum);
  }
  return E;
}

// Adams-Bashforth weights of the latest n slopes, newest first, at equal steps; 1 <= n <= 4.
inline std::vector<double> adams_bashforth(size_t n) {
  switch (n) {
    case 1:
      return {1};
    case 2:
      return {3. / 2, -1. / 2};
    case 3:
      return {23. / 12, -16. / 12, 5. / 12};
    default:
      return {55. / 24, -59. / 24, 37. / 24, -9. / 24};
  }
}

// Do the older evaluations, c[1] and on, count at most 2^order times what the whole step does, `all`? Steps of one
// length extrapolate D with weights of 2^order - 1 together; a step much longer than those before it does without
// bound, and has to be of lower order.
inline bool are_bounded(const std::vector<double>& c, double all) {
  double older = 0;
  for (size_t i = 1; i < c.size(); ++i) older += std::abs(c[i]);
  return older <= std::exp2(c.size()) * all;
}

// The order of a multistep step: what was asked for, as far as there are evaluations; `left`: steps up to the end that
// lower_order_final lets it fall to 1 with.
inline size_t order_of(size_t asked, const History& h, size_t left) { return std::min({asked, h.size(), left}); }

}  // namespace perrin::samplers
