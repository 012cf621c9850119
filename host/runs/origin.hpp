// What a run's numbers follow from, kept in each of its checkpoints, and what of it is different now.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/data/inputs.hpp"
#include "host/loader/registry.hpp"
#include "host/store/layout.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::runs {

struct Origin {
  std::string config_toml;  // as resolved; empty: a checkpoint that does not say
  std::vector<data::InputSum> inputs;
  bool dataset_known = false;                                // as InputFiles's
  std::vector<store::Plugin> plugins;                        // one row per component
  std::vector<std::pair<std::string, std::string>> machine;  // threads, device ...: other bits, the same mathematics
};

Origin origin_of(const model::Model& model, const data::InputFiles& inputs, const config::Loaded& loaded,
                 loader::Registry& registry);

// For a checkpoint's metadata, and back. What is missing there is empty.
store::Metadata to_metadata(const Origin& origin);
Origin origin_in(const store::Metadata& metadata);

// Lines for people.
struct Changes {
  std::vector<std::string> grave;  // other data, other code: what follows is another run
  std::vector<std::string> light;  // another number of threads, unknown data
};
// `listed`: the inputs as the run knew them, for the names of what changed; may be empty.
Changes changes(const Origin& before, const Origin& now, const std::vector<data::Input>& listed,
                const std::vector<data::Input>& found);

// RUN/inputs.jsonl: one object a line with component, name, bytes, sha256; at most 100,000, then a last line says so.
void write_inputs(const std::filesystem::path& file, const data::InputFiles& inputs);
std::vector<data::Input> read_listed(const std::filesystem::path& file);  // empty if it is not there or not whole

}  // namespace perrin::runs
