// The extractor's forward pass.
#pragma once

#include <string>
#include <vector>

#include "host/model/model.hpp"

namespace perrin::model {

// Its layers by their numbers in Shapes::layers. x: [B, C, H, W] in [-1, 1], channels-last -> [B, ...] float32 each.
std::vector<at::Tensor> forward_layers(Model& model, const perrin_call& call, const at::Tensor& x,
                                       const std::vector<uint32_t>& wanted);

// The same by their names, of any memory order.
std::vector<at::Tensor> extract(Model& model, const perrin_call& call, const at::Tensor& x,
                                const std::vector<std::string>& names);

}  // namespace perrin::model
