// Whether what a run would go on with is what it began with.
#pragma once

#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/runs/origin.hpp"

namespace perrin::app {

// Notes for the user where the run's experiment.toml is not, letter for letter, what the checkpoint's steps were done
// with: its components were updated in a compatible way, or its last stage got more steps. Throws Error, with each key
// that differs, for everything else.
std::vector<std::string> compare_experiments(const runs::Found& checkpoint, const config::Loaded& loaded,
                                             const runs::Folder& folder);

// Notes on data, libraries and machine, as runs::changes finds them. Throws Error where other data or other libraries
// would go on, unless they are accepted.
std::vector<std::string> compare_origins(const runs::Found& checkpoint, const runs::Origin& now,
                                         const std::vector<data::Input>& found, const runs::Folder& folder,
                                         bool accepted);

}  // namespace perrin::app
