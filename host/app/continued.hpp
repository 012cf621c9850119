// Whether what a run would go on with is what it began with.
#pragma once

#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/folder.hpp"
#include "host/run/origin.hpp"

namespace perrin::app {

// Notes for the user where the run's experiment.toml is not, letter for letter, what the checkpoint's steps were done
// with: its components were updated in a compatible way, or its last stage got more steps. Throws Error, with each key
// that differs, for everything else.
std::vector<std::string> compare_experiments(const run::Found& checkpoint, const config::Loaded& loaded,
                                             const run::Folder& folder);

// Notes on data, libraries and machine, as run::changes finds them. Throws Error where other data or other libraries
// would go on, unless they are accepted.
std::vector<std::string> compare_origins(const run::Found& checkpoint, const run::Origin& now,
                                         const std::vector<run::Input>& found, const run::Folder& folder,
                                         bool accepted);

}  // namespace perrin::app
