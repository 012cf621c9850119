// Numbers of each sample, [B, 1, ...] float32, for guidance that looks at directions and sizes. Sums run over all
// dimensions but the batch, so that no sample sees another.
#pragma once

#include "perrin/cpp/guidance.hpp"
#include "perrin/cpp/op.hpp"

namespace perrin::guidance {

inline std::vector<int64_t> all_but_batch(const Handle& x) {
  const uint32_t rank = service<perrin_host_tensor>(PERRIN_HOST_TENSOR)->rank(x.get());
  std::vector<int64_t> dimensions;
  for (uint32_t d = 1; d < rank; ++d) dimensions.push_back(d);
  return dimensions;
}

// a[b] x[b] and a[b] / c[b].
inline Handle times(const Handle& a, const Handle& x) {
  static const Op mul("aten::mul", "Tensor");
  return mul(a, x);
}
inline Handle over(const Handle& a, const Handle& c) {
  static const Op div("aten::div", "Tensor");
  return div(a, c);
}

// <x, y>
inline Handle dot(const Handle& x, const Handle& y) {
  static const Op sum("aten::sum", "dim_IntList");
  return sum(times(x, y), all_but_batch(x), true);
}

// The share of y in x: <x, y> / ||y||^2, 0 where y is 0.
inline Handle projection(const Handle& x, const Handle& y) {
  static const Op clamp_min("aten::clamp_min");
  return over(dot(x, y), clamp_min(dot(y, y), 1e-30));
}

}  // namespace perrin::guidance
