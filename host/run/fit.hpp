// What conditioners learn from the data before training: perrin.conditioner-fit/1, such as a tokenizer's merges.
#pragma once

#include "host/run/model.hpp"

namespace perrin::run {

// Shows each conditioner that asks for it the dataset's first samples, then lets it learn. For new runs: others load what
// was learnt from a checkpoint.
void fit_conditioners(Model& model, int64_t batch_size);

}  // namespace perrin::run
