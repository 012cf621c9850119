// Are there NaN or infinite values among these?
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace perrin::services {

// None is; true for integers. As fast as memory where x is dense float32 on the CPU.
bool all_finite(const at::Tensor& x);
bool all_finite(const float* x, int64_t n);

// "3 of 512 values are NaN or infinite", for a message.
std::string count_not_finite(const at::Tensor& x);

}  // namespace perrin::services
