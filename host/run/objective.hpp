// One forward pass of training: from a batch to the loss, with every random number a function of the sample's position.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <vector>

#include "host/run/conditioning.hpp"
#include "host/run/pipeline.hpp"
#include "host/run/terms.hpp"

namespace perrin::run {

// What the network is shown for a batch, and what it should say.
struct Draw {
  std::vector<perrin_time> times;                 // [B]
  std::vector<perrin_coefficients> coefficients;  // [B]
  std::vector<double> weight;                     // [B] weighting times importance
  std::vector<double> importance;                 // [B]
  Drops drops;                                    // of each conditioner
  at::Tensor input;                               // [B, ...] c_in x_t, channels-last
  at::Tensor target;                              // [B, ...] target_x0 x_0 + target_noise eps
};

// Where training stands.
struct StageStep {
  const config::Stage& stage;
  int64_t step = 1;        // number of this optimizer step, from 1, over all stages
  int64_t stage_step = 0;  // steps done in the stage
};

// The image field as float32 in the model's range, [B, ...].
at::Tensor images(const Model& model, const Batch& batch);

// An image in the memory order of networks, [B, C, H, W] channels-last; other data as they are.
at::Tensor channels_last(const at::Tensor& x);

// The class of each sample, [B] int64; undefined without classes.
at::Tensor label_of(const Model& model, const Batch& batch);

// The same on the host; empty without classes.
std::vector<int64_t> label_values(const Model& model, const Batch& batch);

// The dataset's samples first .. first + n - 1, not augmented; behind its last comes its first again.
Batch read_samples(Model& model, uint64_t first, int64_t n);

// f(batch, call in evaluation) for the dataset's first `count` samples, batch by batch.
template <class F>
void for_each_samples(Model& model, uint64_t count, int64_t batch_size, F&& f) {
  const auto size = static_cast<uint64_t>(batch_size);
  for (uint64_t first = 0; first < count; first += size) {
    const Batch batch = read_samples(model, first, static_cast<int64_t>(std::min(size, count - first)));
    f(batch, evaluation_call(model.experiment.seed, batch.indices));
  }
}

// Draws t, eps and condition drops for x_0: [B, ...] where diffusion runs.
Draw draw(Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, const StageStep& at);

// F(input, c_noise, conditioning).
at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning);

// The loss of one batch in the stage's task; terms that have not started are left out. `drawn`, unless null, is filled
// where diffusion is trained. Autocast is the caller's.
Objective objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at,
                    Draw* drawn = nullptr);

// Shows a batch's times and unweighted first losses to a timestep law that follows the loss.
void observe(Model& model, const Draw& draw, const Objective& objective);

}  // namespace perrin::run
