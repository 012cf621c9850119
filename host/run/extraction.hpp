// One forward pass of training an extractor: data, its layers, the conditioner's vector.
#pragma once

#include "host/run/objective.hpp"

namespace perrin::run {

// The layers that `names` lists, by name. x: [B, C, H, W] in [-1, 1] -> [B, ...] each.
std::vector<at::Tensor> extract(Model& model, const perrin_call& call, const at::Tensor& x,
                                const std::vector<std::string>& names);

Objective extraction_objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at);

}  // namespace perrin::run
