// perrin eval.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

int eval_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
