// What a run needs to go on bit for bit: one safetensors file per checkpoint, verified when read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "host/run/optimizer.hpp"
#include "host/run/parameters.hpp"

namespace perrin::run {

// Where a run stands. Everything else is a function of this and the experiment.
struct Progress {
  int64_t step = 0;        // optimizer steps done, over all stages
  uint64_t position = 0;   // samples seen: the next batch starts here
  int64_t stage = 0;       // index of the present stage
  int64_t stage_step = 0;  // optimizer steps done in it
};

// The components whose perrin.state/1 goes on; those without it are passed over.
using Stateful = std::vector<const services::Component*>;

// Tensors: "<name>" weights and buffers, "ema.<name>", "ema2.<name>" ... averages, "<optimizer>.<what>.<name>" the
// optimizer's state of what is trained ("adamw.first_moment.<name>"), "state.<kind>" [bytes] of stateful components.
// Metadata: schema perrin.checkpoint/1, config_hash, and the numbers of Progress.
// Written beside, fsynced, renamed. Throws Error.
void save_checkpoint(const std::filesystem::path& file, const ParameterSet& parameters, const Optimizer& optimizer,
                     const Progress& progress, const std::string& config_hash, const Stateful& stateful = {});

// Fills parameters and components and, unless null, the optimizer. Throws Error, naming the tensor and both shapes, for
// a file of another model or another experiment, and for a state that is missing, foreign or refused.
void load_checkpoint(const std::filesystem::path& file, ParameterSet& parameters, const Optimizer* optimizer,
                     const std::string& config_hash, const Stateful& stateful = {});

// The averaged weights alone, where the checkpoint has them, else the weights.
void load_averaged(const std::filesystem::path& file, ParameterSet& parameters);

struct Found {
  std::filesystem::path file;
  Progress progress;
};

// The newest checkpoint in `folder` that verifies; none if there is none. What does not verify is reported to
// `rejected` (may be null), newest first.
std::optional<Found> newest_checkpoint(const std::filesystem::path& folder, std::vector<std::string>* rejected);

// "step-00001000.safetensors"
std::string checkpoint_name(int64_t step);

// Removes all but the `keep` newest.
void prune_checkpoints(const std::filesystem::path& folder, size_t keep);

}  // namespace perrin::run
