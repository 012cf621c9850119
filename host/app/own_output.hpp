// Standard output belongs to the command: its summary, its --json. What plugins and libraries print goes to standard error.
#pragma once

namespace perrin::app {

// First in perrin-engine's main. std::cout then writes to what was standard output (to standard error from within a
// plugin's call), and file descriptor 1 is standard error.
void keep_standard_output();

}  // namespace perrin::app
