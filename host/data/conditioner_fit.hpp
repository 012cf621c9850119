// What conditioners learn from the data before training: perrin.conditioner-fit/1, such as a tokenizer's merges.
#pragma once

#include "host/model/model.hpp"

namespace perrin::data {

// Shows each conditioner that asks for it the dataset's first samples, then lets it learn. For new runs: others load
// what was learnt from a checkpoint.
void fit_conditioners(model::Model& model, int64_t batch_size);

}  // namespace perrin::data
