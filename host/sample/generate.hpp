// Samples from a trained model. Sample i depends on (weights, seed, i, its class) alone. The batch size changes none of
// its random numbers, only how matrix products round: a BLAS sums in another order for another number of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "host/sample/request.hpp"
#include "host/store/png.hpp"

namespace perrin::sample {

// [count, C, H, W] or [count, D] float32, decoded. The model's experiment gives sampler, steps and guidance; its
// parameters are used as they are bound, and its guide must be loaded (guide.hpp). Throws Error, also (exit code
// interrupted) when cancelled; where samples are of another shape or not finite it names the component (checks.hpp).
at::Tensor generate(model::Model& model, const Request& request);

// Does the sampler go from data to noise? Then `start` is data, its labels are theirs, and what `generate` returns is
// not decoded: [count, ...] where diffusion runs.
bool inverts(const model::Model& model);

// What would fail when a trained run is first sampled: throws Diagnostics for a sampler that inverts, which makes no
// samples of a run, and for a negative condition that the dataset does not have. A classifier is never sampled: fine.
void check_generates(model::Model& model, const config::Loaded& loaded);

// The dataset's first `count` samples, encoded. Throws Error if there are fewer.
struct Data {
  at::Tensor z;                 // [count, ...]
  std::vector<int64_t> labels;  // [count]; empty without conditioner or classes
};
Data first_samples(model::Model& model, int64_t count, int64_t batch_size);

// Rows of the dataset's first samples, each above a row of their reconstructions by the first stage: [cells, C, H, W], for
// a picture of the experiment's columns.
int64_t reconstruction_cells(const model::Model& model);
at::Tensor reconstructions(model::Model& model);

// [-1, 1] -> uint8 [n, H, W, C]. REQUIRES: [n, C, H, W] with C = 1 or 3. Throws Error for values that are not finite.
std::vector<uint8_t> to_pixels(const at::Tensor& images);

// A scatter plot of 2-D samples, or the grid of images: what a person looks at. REQUIRES: can_draw. Throws likewise.
bool can_draw(const at::Tensor& samples);
store::Image picture(const at::Tensor& samples, int64_t columns);

}  // namespace perrin::sample
