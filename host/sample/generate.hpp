// Samples from a trained model. Sample i depends on (weights, seed, i, its class) alone. The batch size changes none of
// its random numbers, only how matrix products round: a BLAS sums in another order for another number of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "host/sample/conditions.hpp"
#include "host/store/png.hpp"

namespace perrin::sample {

// What a caller may keep of sampling beside the samples, on the CPU.
struct Kept {
  at::Tensor noisy, clean;  // [count, ...] float32 where diffusion runs: x at the sampler's noisy and at its clean end
  ConditionTensors conditions;
};

struct Request {
  int64_t count = 64, batch_size = 64;
  uint64_t seed = 0;
  std::vector<int64_t> labels;  // [count] of the dataset's label field; empty: no class
  FieldValues given{};          // [count] of its other fields; with neither: the null condition or no conditioner
  FieldValues negative{};       // [count] what guidance leads away from, in the place of the null condition
  bool bf16 = false;
  std::function<void(int64_t done, int64_t total)> progress;  // denoiser calls, over all batches; may be empty
  std::function<bool()> cancelled;                            // may be empty
  at::Tensor start{};  // [count, ...] where diffusion runs: what x starts from; undefined: noise of the first level
  at::Tensor init{};   // [count, ...] where diffusion runs: data that samples start near; undefined: none
  double strength = 1;    // of init: the part of the steps that is run, from there with noise added (2108.01073)
  at::Tensor mask{};      // [count, 1, ...] as init: 1 where samples are free, 0 where D is init (2201.09865); undefined: free
  int64_t equal_every = 0;  // samples i and i + equal_every share their noise; 0: none do
  std::vector<double> way{};    // [count] 0 .. 1: from this request's condition and noise to those below; empty: none
  FieldValues toward{};         // [count] its condition; empty: the same
  uint64_t toward_seed = 0;     // of its noise, mixed on the sphere (slerp); used where `toward` is empty
  ConditionTensors conditions{};  // [count, ...] what conditioners made before; empty: they make it now
  Kept* kept = nullptr;           // filled; null: nothing is kept
};

// [count, C, H, W] or [count, D] float32, decoded. The model's experiment gives sampler, steps and guidance; its
// parameters are used as they are bound, and its guide must be loaded (guide.hpp). Throws Error, also (exit code
// interrupted) when cancelled; where samples are of another shape or not finite it names the component (checks.hpp).
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

// Rows of the dataset's first samples, each above a row of their reconstructions by the first stage: [cells, C, H, W], for
// a picture of the experiment's columns.
int64_t reconstruction_cells(const run::Model& model);
at::Tensor reconstructions(run::Model& model);

// [-1, 1] -> uint8 [n, H, W, C]. REQUIRES: [n, C, H, W] with C = 1 or 3. Throws Error for values that are not finite.
std::vector<uint8_t> to_pixels(const at::Tensor& images);

// A scatter plot of 2-D samples, or the grid of images: what a person looks at. REQUIRES: can_draw. Throws likewise.
bool can_draw(const at::Tensor& samples);
store::Image picture(const at::Tensor& samples, int64_t columns);

}  // namespace perrin::sample
