// An experiment as text. Internal to host/config.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/config/experiment.hpp"

namespace perrin::config {

std::string write_toml(const Experiment& experiment);
std::string write_json(const Experiment& experiment);
std::vector<std::pair<std::string, std::string>> write_params(const Experiment& experiment);

}  // namespace perrin::config
