// What a model reads beside its experiment, by content: the dataset's files, weights and tokenizers that components
// name. runs/inputs.hpp finds them all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/model/model.hpp"

namespace perrin::data {

// Before a stage's name: what stage.from names is an input of the stage.
inline constexpr const char* kStage = "stage ";

struct Input {
  std::string component;  // the id of the component that reads it; kStage and a name;
                          // model::kGivenWeights and a name; empty: the guide of another run
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

// Inputs of one component, before their contents are known.
struct Declared {
  std::string component;
  std::vector<Input> inputs;                 // sha256 empty: of the file
  std::vector<std::filesystem::path> paths;  // of those files, in order

  void add(const std::string& name, const std::filesystem::path& path) {
    inputs.push_back({component, name, 0, ""});
    paths.push_back(path);
  }
};

// The entry of a component, made where there is none.
Declared& of_component(std::vector<Declared>& all, const std::string& id);

// What the component says that it reads. False if it has no perrin.identity/1.
bool declare(const services::Component& component, std::vector<Declared>& all);

// Their contents, hashed as file_sums does; `session` knows what their components found. `progress` is told bytes read
// and to be read. Throws Error for files that cannot be read.
std::vector<Input> read(std::vector<Declared>& all, const services::Session& session,
                        const std::function<void(uint64_t done, uint64_t total)>& progress);

// The dataset's alone, as they are now.
InputFiles dataset_inputs(model::Model& model);

}  // namespace perrin::data
