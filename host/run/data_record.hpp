// What sampling needs of a run's data, kept in the run's folder: data.safetensors. With it a run is sampled without them.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/dataset.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/config/load.hpp"

namespace perrin::run {

class Model;
struct Folder;

struct DataRecord {
  std::deque<std::string> names;     // what the fields' texts point to
  std::vector<perrin_field> fields;  // of the dataset
  uint64_t count = 0;                // of its samples
  std::vector<at::Tensor> first;     // of each field [n, ...]: the first n samples; n may be 0
};

// Writes the record of a run that has none: the dataset's fields, and its first `n` samples. Throws Error.
void keep_data(const Folder& folder, Model& model, int64_t n);

// The run's record; null where the run has none, or where `loaded` has another [dataset] than the run had. Throws Error
// for a damaged one.
std::shared_ptr<const DataRecord> kept_data(const Folder& folder, const config::Loaded& loaded);

}  // namespace perrin::run
