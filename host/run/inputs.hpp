// What a model reads beside its experiment, by content: the dataset's files, weights and tokenizers that components
// name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/config/load.hpp"

namespace perrin::run {

class Model;

// Before a stage's name: what stage.from names is an input of the stage.
inline constexpr const char* kStage = "stage ";

struct Input {
  std::string component;  // the id of the component that reads it; kStage and a name; empty: the guide of another run
  std::string name;       // in its data, or as the experiment names it
  uint64_t bytes = 0;
  std::string sha256;  // of the content
};

// All inputs of one component.
struct InputSum {
  std::string component;
  uint64_t files = 0, bytes = 0;
  std::string sha256;  // of names, sizes and contents, in order
  bool operator==(const InputSum&) const = default;
};

struct InputFiles {
  std::vector<Input> all;      // of each component together, the dataset's first
  bool dataset_known = false;  // the dataset says what it reads (perrin.identity/1); if not, it may read anything

  std::vector<InputSum> sums() const;           // one for each component that reads something
  std::string of(const std::string& id) const;  // its sha256; that of nothing if it reads nothing
};

// Of the model, of the model that guides it, as their components have declared and found until now (call it once they
// know their shapes), and of what stages from `first_stage` on start from. Contents are hashed as file_sums does.
// `progress` is told bytes read and to be read. Throws Error for files that cannot be read.
InputFiles read_inputs(Model& model, const config::Loaded& loaded, size_t first_stage,
                       const std::function<void(uint64_t done, uint64_t total)>& progress = {});

// The dataset's alone, as they are now.
InputFiles dataset_inputs(Model& model);

}  // namespace perrin::run
