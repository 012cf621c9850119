// What the network is shown for a batch where diffusion is trained, every random number a function of the sample's
// position.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "host/train/stage.hpp"

namespace perrin::train {

struct Draw {
  std::vector<perrin_time> times;                 // [B]
  std::vector<perrin_coefficients> coefficients;  // [B]
  std::vector<double> weight;                     // [B] weighting times importance
  std::vector<double> importance;                 // [B]
  model::Drops drops;                             // of each conditioner
  at::Tensor input;                               // [B, ...] c_in x_t, channels-last
  at::Tensor target;                              // [B, ...] target_x0 x_0 + target_noise eps: what it should say
};

// What the network is shown at these times, and should say: times, coefficients, input and target alone.
Draw shown_at(model::Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions,
              std::vector<perrin_time> times);

// Draws t, eps and condition drops for x_0: [B, ...] where diffusion runs.
Draw draw(model::Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, const StageStep& at);

}  // namespace perrin::train
