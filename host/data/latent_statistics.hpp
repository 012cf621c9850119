// Mean, deviation and scale of the data's z, measured.
#pragma once

#include "host/model/model.hpp"

namespace perrin::data {

// Measures mean and deviation over the dataset's first samples, at most `most`, and with scale_factor = 0 sets scale =
// 1 / deviation of all elements; does nothing where that is known. Not augmented; a function of encoder and data alone.
void measure_latent(model::Model& model, int64_t batch_size, uint64_t most = 8192);

}  // namespace perrin::data
