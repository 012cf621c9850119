// `perrin plugin list|show`: what plugins offer, from the index; loads no LibTorch.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

// arguments[0]: list or show. Returns the exit code; throws perrin::Error.
int plugin_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
