// Samples from a trained model. Sample i depends on (weights, seed, i, its class) alone. The batch size changes none of
// its random numbers, only how matrix products round: a BLAS sums in another order for another number of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "host/run/model.hpp"
#include "host/store/png.hpp"

namespace perrin::sample {

struct Request {
  int64_t count = 64, batch_size = 64;
  uint64_t seed = 0;
  std::vector<int64_t> labels;  // [count] of the dataset's label field; empty: the null condition or no conditioner
  bool bf16 = false;
  std::function<void(int64_t done, int64_t total)> progress;  // denoiser calls, over all batches; may be empty
  std::function<bool()> cancelled;                            // may be empty
  at::Tensor start{};  // [count, ...] where diffusion runs: what x starts from; undefined: noise of the first level
};

// [count, C, H, W] or [count, D] float32, decoded. The model's experiment gives sampler, steps and guidance; its
// parameters are used as they are bound, and its guide must be loaded (guide.hpp). Throws Error, also (exit code
// interrupted) when cancelled.
at::Tensor generate(run::Model& model, const Request& request);

// Does the sampler go from data to noise? Then `start` is data, its labels are theirs, and what `generate` returns is
// not decoded: [count, ...] where diffusion runs.
bool inverts(const run::Model& model);

// What would fail when a trained run is first sampled: throws Diagnostics for a sampler that inverts, which makes no
// samples of a run, and for a negative condition that the dataset does not have. A classifier is never sampled: fine.
void check_generates(run::Model& model, const config::Loaded& loaded);

// The dataset's first `count` samples, encoded. Throws Error if there are fewer.
struct Data {
  at::Tensor z;                 // [count, ...]
  std::vector<int64_t> labels;  // [count]; empty without conditioner or classes
};
Data first_samples(run::Model& model, int64_t count, int64_t batch_size);

// Class of each of `count` grid cells: one class per row of `columns`, or `only` everywhere. Empty without labels.
std::vector<int64_t> grid_labels(const run::Model& model, int64_t count, int64_t columns, std::optional<int64_t> only);

// [-1, 1] -> uint8 [n, H, W, C]. REQUIRES: [n, C, H, W] with C = 1 or 3.
std::vector<uint8_t> to_pixels(const at::Tensor& images);

// A scatter plot of 2-D samples, or the grid of images: what a person looks at. REQUIRES: can_draw.
bool can_draw(const at::Tensor& samples);
store::Image picture(const at::Tensor& samples, int64_t columns);

}  // namespace perrin::sample
