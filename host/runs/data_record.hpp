// What sampling needs of a run's data, kept in the run's folder: data.safetensors. With it a run is sampled without
// them.
#pragma once

#include <memory>

#include "host/model/model.hpp"
#include "host/runs/folder.hpp"

namespace perrin::runs {

// Writes the record of a run that has none: the dataset's fields, and its first `n` samples. Throws Error.
void keep_data(const Folder& folder, model::Model& model, int64_t n);

// The run's record; null where the run has none, or where `loaded` has another [dataset] than the run had. Throws Error
// for a damaged one.
std::shared_ptr<const model::DataRecord> kept_data(const Folder& folder, const config::Loaded& loaded);

}  // namespace perrin::runs
