// `perrin check`.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

int check_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
