#include "host/run/parallel.hpp"

#include <ATen/Parallel.h>

namespace perrin::run {

const kernels::ParallelFor parallel_for = [](int64_t n, int64_t grain,
                                             const std::function<void(int64_t, int64_t)>& body) {
  at::parallel_for(0, n, grain, body);
};

}  // namespace perrin::run
