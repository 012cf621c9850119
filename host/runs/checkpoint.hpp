// What a run needs to go on bit for bit: one safetensors file per checkpoint, verified when read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/model/parameters.hpp"
#include "host/model/state.hpp"
#include "host/store/safetensors.hpp"
#include "host/train/optimizer.hpp"

namespace perrin::runs {

// Where a run stands. Everything else is a function of this and the experiment.
struct Progress {
  int64_t step = 0;        // optimizer steps done, over all stages
  uint64_t position = 0;   // samples seen: the next batch starts here
  int64_t stage = 0;       // index of the present stage
  int64_t stage_step = 0;  // optimizer steps done in it
};

// Tensors: "<name>" weights and buffers, "ema.<name>", "ema2.<name>" ... averages, "<optimizer>.<what>.<name>" the
// optimizers' state of what is trained ("adamw.first_moment.<name>"), "state.<name>" [bytes] of stateful components.
// Metadata: schema perrin.checkpoint/1, config_hash, the numbers of Progress, and `more` (a run's origin.hpp).
// Written beside, fsynced, renamed. Throws Error.
void save_checkpoint(const std::filesystem::path& file, const model::ParameterSet& parameters,
                     const train::Training& training, const Progress& progress, const std::string& config_hash,
                     const model::Stateful& stateful = {}, const store::Metadata& more = {});

// Fills parameters and components and, unless null, the training's tensors. Throws Error, naming the tensor and both
// shapes, for a file of another model or another experiment, and for a state that is missing, foreign or refused.
void load_checkpoint(const std::filesystem::path& file, model::ParameterSet& parameters,
                     const train::Training* training, const std::string& config_hash,
                     const model::Stateful& stateful = {});

// The averaged weights alone, where the checkpoint has them, else the weights; not those of losses. And the states that
// it has of these components.
void load_averaged(const std::filesystem::path& file, model::ParameterSet& parameters,
                   const model::Stateful& stateful = {});

// The states that a checkpoint has of these components. Throws Error for one that is refused.
void load_held_states(const store::SafeTensors& held, const model::Stateful& stateful,
                      const std::filesystem::path& file);

// A verified checkpoint. Throws Error.
store::SafeTensors open_checkpoint(const std::filesystem::path& file);

// The averaged weight, else the weight or buffer, that the checkpoint has for each saved tensor of these groups. Throws
// Error, naming the tensor and both shapes, where it does not fit. `value` lives as long as the file.
void for_each_averaged(const store::SafeTensors& held, const model::ParameterSet& parameters,
                       const std::vector<std::string>& groups, const std::filesystem::path& file,
                       const std::function<void(const model::Parameter&, const at::Tensor& value)>& f);

struct Found {
  std::filesystem::path file;
  Progress progress;
  store::Metadata metadata = {};
};

// A verified checkpoint and how far it is. Throws Error.
Found found_at(const std::filesystem::path& file);

// The newest checkpoint in `folder` that verifies; none if there is none. What does not verify is reported to
// `rejected` (may be null), newest first.
std::optional<Found> newest_checkpoint(const std::filesystem::path& folder, std::vector<std::string>* rejected);

// `named` itself if it is no folder; of a run's folder the newest checkpoint that verifies, and `rejected` as above.
// Throws Error where there is none, with what was rejected.
std::filesystem::path checkpoint_at(const std::filesystem::path& named, std::vector<std::string>* rejected = nullptr);

// "step-00001000.safetensors"
std::string checkpoint_name(int64_t step);

// Removes all but the `keep` newest.
void prune_checkpoints(const std::filesystem::path& folder, size_t keep);

}  // namespace perrin::runs
