// `perrin cache list|prune`: what lies in the user's cache folder.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

// arguments[0]: list or prune. Returns the exit code; throws perrin::Error.
int cache_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
