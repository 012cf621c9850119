// Shapes that specs tell.
#pragma once

#include <cstdint>
#include <vector>

#include "perrin/host/tensor.h"

namespace perrin::services {

// [n, ...]: the shape of a batch of n samples of this kind.
inline std::vector<int64_t> batch_sizes(const perrin_spec& spec, int64_t n) {
  std::vector<int64_t> sizes(spec.sizes, spec.sizes + spec.rank);
  sizes.insert(sizes.begin(), n);
  return sizes;
}

}  // namespace perrin::services
