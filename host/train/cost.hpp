// What a composition costs, found by one forward pass of one sample.
#pragma once

#include <cstdint>

#include "host/train/stage.hpp"

namespace perrin::train {

struct Cost {
  int64_t forward_flops = 0;  // per sample: convolutions, matrix products and attention; a multiply-add is 2
  int64_t activation_bytes =
      0;  // per sample: what the operators of the forward pass return, an upper bound of what training keeps
};

// Runs what the stage trains once on one sample: the denoiser, the first stage or the extractor, in evaluation mode,
// float32. REQUIRES: parameters are built.
Cost measure_cost(model::Model& model, const config::Stage& stage);

// Bytes of values, gradients, both moments and, if `ema`, the average.
int64_t parameter_bytes(const model::Model& model, bool ema);

}  // namespace perrin::train
