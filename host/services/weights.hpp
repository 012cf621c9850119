// Tensors of safetensors files as ATen sees them.
#pragma once

#include <ATen/core/Tensor.h>

#include "host/store/safetensors.hpp"

namespace perrin::services {

// A copy on the CPU, in the file's dtype. Throws Fault, PERRIN_UNSUPPORTED with the tensor's name, for a dtype that
// LibTorch lacks.
at::Tensor copy_of(const store::TensorView& held);

}  // namespace perrin::services
