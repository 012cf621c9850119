// Files of prompts.
#pragma once

#include <string>
#include <vector>

namespace perrin::app {

// One prompt a line; a byte order mark and empty lines are left out, UTF-16 is read. Throws Error, Exit::usage, with
// the place: a file that cannot be read, that is no text, or that holds no prompt.
std::vector<std::string> read_prompts(const std::string& file);

}  // namespace perrin::app
