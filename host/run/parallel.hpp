// LibTorch's thread pool for the kernels.
#pragma once

#include "host/kernels/parallel.hpp"

namespace perrin::run {

// kernels::ParallelFor over at::parallel_for.
extern const kernels::ParallelFor parallel_for;

}  // namespace perrin::run
