// perrin weights.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

int weights_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
