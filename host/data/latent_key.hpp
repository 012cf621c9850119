// What a file of latents is found by.
#pragma once

#include "host/data/inputs.hpp"
#include "host/store/latent_file.hpp"

namespace perrin::data {

// The header of all the dataset's latents, but for its checksum. The key is as LatentCache says; names of files and
// folders are not in it where their contents are: data that were moved are the same.
store::LatentHeader latent_header(model::Model& model, const InputFiles& inputs, int64_t batch_size);

}  // namespace perrin::data
