// The PNGs that `perrin sample` is given: to start from, to fill, to enlarge.
#pragma once

#include "host/app/options.hpp"
#include "host/sample/generate.hpp"

namespace perrin::app {

// --init, --mask, --strength: the request starts from an image's latent, of which a mask keeps a part. Throws Error,
// usage for options that do not go together, and for an image of another size.
void start_from_image(run::Model& model, const options::variables_map& values, sample::Request& request);

// --image, with --mask where there is one: what conditioners see in place of the dataset's image.
void show_image(const run::Model& model, const options::variables_map& values, sample::Request& request);

// Pixels that a mask keeps are those of --init, or of --image: samples [count, C, H, W] as they leave the decoder.
at::Tensor keep_known(const run::Model& model, const options::variables_map& values, const at::Tensor& samples);

}  // namespace perrin::app
