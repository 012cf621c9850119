// `perrin sample`.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

int sample_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
