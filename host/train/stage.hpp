// What a stage trains, and where training stands in it.
#pragma once

#include <string>
#include <vector>

#include "host/data/latent_cache.hpp"
#include "host/model/conditioning.hpp"

namespace perrin::train {

// A first stage by its reconstruction, diffusion in the first stage's space, or an extractor.
enum class Task { diffusion, first_stage, extraction };
Task task_of(const model::Model& model, const config::Stage& stage);

struct StageStep {
  const config::Stage& stage;
  int64_t step = 1;                            // number of this optimizer step, from 1, over all stages
  int64_t stage_step = 0;                      // steps done in the stage
  const data::LatentCache* latents = nullptr;  // of [encoder] cache; null: the encoder is asked
};

// The call of this step; positions are borrowed.
perrin_call training_call(const model::Model& model, const StageStep& at, const std::vector<uint64_t>& positions);

// The kinds of component that a stage trains: those it names, else all with parameters; the weighting's go with the
// denoiser. Losses are not among them. Throws Diagnostics if it trains nothing.
std::vector<std::string> trained_kinds(const model::Model& model, const config::Loaded& loaded,
                                       const config::Stage& stage);

// Which samples of a batch are trained with which null conditions: by one draw for all conditioners with the stage's
// own probability, by one for each otherwise.
model::Drops draw_drops(const model::Model& model, const std::vector<uint64_t>& positions, const config::Stage& stage);

}  // namespace perrin::train
