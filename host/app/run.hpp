// `perrin run` and `perrin resume`: the same life, begun or continued.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

int run_command(const std::vector<std::string>& arguments);
int resume_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
