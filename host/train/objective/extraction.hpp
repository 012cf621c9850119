// One forward pass of training an extractor: data, its layers, the conditioner's vector.
#pragma once

#include <string_view>
#include <vector>

#include "host/data/samples.hpp"
#include "host/train/objective/given.hpp"
#include "host/train/objective/terms.hpp"
#include "host/train/stage.hpp"

namespace perrin::train {

Known known_in_extraction(const model::Model& model, std::string_view name);

Objective extraction_objective(model::Model& model, const data::Batch& batch, std::vector<LossTerm>& terms,
                               const StageStep& at);

}  // namespace perrin::train
