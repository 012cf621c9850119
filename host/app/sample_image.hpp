// The pictures that `perrin sample` is given: to start from, to fill, to enlarge.
#pragma once

#include <optional>

#include "host/app/options.hpp"
#include "host/sample/generate.hpp"

namespace perrin::app {

// What the options name, each file read once; undefined where its option is not given.
struct Pictures {
  at::Tensor init;   // [1, C, H, W] in [-1, 1], of the run's size
  at::Tensor shown;  // [1, C, h, w] as the dataset would give it, of any size
  at::Tensor mask;   // [1, 1, H, W], 1 where pixels are made anew
  at::Tensor known;  // with a mask: where its other pixels come from, --init or else --image; [1, C, H, W] in [-1, 1]
};

// Of --init, --image and --mask, decoded as perrin.image/1 does, and, but for --image without a mask, scaled and cut to the
// run's size as its dataset does. Throws Error, usage for options that do not go together, for a mask of another size than
// its image and for an image that no conditioner looks at.
Pictures read_pictures(const model::Model& model, const options::variables_map& values);

// The request starts from the latent of --init, of which a mask keeps a part. `strength` defaults to 0.75, with a mask to
// 1. Throws Error, usage, for a strength out of (0, 1].
void start_from_image(model::Model& model, const Pictures& pictures, std::optional<double> strength,
                      sample::Request& request);

// What conditioners see in place of the dataset's image.
void show_image(const model::Model& model, const Pictures& pictures, sample::Request& request);

// The pixels that a mask keeps are the known ones: samples [count, C, H, W] as they leave the decoder.
at::Tensor keep_known(const Pictures& pictures, const at::Tensor& samples);

}  // namespace perrin::app
