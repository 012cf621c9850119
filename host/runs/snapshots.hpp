// Snapshots of power-function averages in RUN/ema, and averages of other widths made of them after training
// (2312.02696, section 3.2).
#pragma once

#include <filesystem>

#include "host/runs/checkpoint.hpp"

namespace perrin::runs {

inline constexpr const char* kSnapshots = "ema";  // their folder in a run's

// Writes step-00001000.safetensors into `folder`. Tensors: "ema.<name>", "ema2.<name>" ... averages, "<name>" buffers.
// Metadata: schema perrin.ema/1, sigma_rel ("0.05 0.1"), and the numbers of Progress. Throws Error.
void save_snapshot(const std::filesystem::path& folder, const model::ParameterSet& parameters,
                   const train::Averages& averages, const Progress& progress);

// Fills the values with the average of relative width `sigma_rel` at the newest snapshot of the run's last stage, made
// of all snapshots of that stage. Throws Error without snapshots, for those of another model, or for a width that no
// power function has.
void load_reconstructed(const std::filesystem::path& folder, double sigma_rel, model::ParameterSet& parameters);

}  // namespace perrin::runs
