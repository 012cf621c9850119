// Tier B with torch::nn: a denoiser, encoder, conditioner or loss whose layers are torch::nn modules. Costs 17 s a file.
#pragma once

#include <torch/nn/module.h>

#define PERRIN_SIZEOF_MODULE sizeof(torch::nn::Module)
#include "torch.hpp"

namespace perrin {

// Hands a module's parameters and buffers, with their initial values, to the host. Call it once the module is complete.
// The generator that torch::nn initialises from is seeded by the host around every create and infer.
inline void declare_module(Parameters& parameters, torch::nn::Module& module) {
  for (const auto& item : module.named_parameters()) parameters.adopt(item.key(), item.value(), PERRIN_PARAMETER);
  for (const auto& item : module.named_buffers()) parameters.adopt(item.key(), item.value(), PERRIN_BUFFER);
}

}  // namespace perrin
