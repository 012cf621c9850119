// What produced a run: program, libraries, machine, source tree. Kept in /provenance of the results file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/data/inputs.hpp"
#include "host/loader/registry.hpp"
#include "host/store/layout.hpp"

namespace perrin::runs {

// argv: the command line. Values are text; what cannot be found out is left out.
std::vector<std::pair<std::string, std::string>> provenance(const model::Model& model, const data::InputFiles& inputs,
                                                            const std::vector<std::string>& argv);

// One row per component of the experiment.
std::vector<store::Plugin> plugins_used(const config::Experiment& experiment, loader::Registry& registry);

}  // namespace perrin::runs
