// Completions made of the table of commands, each a script that its shell reads.
#pragma once

#include <string>

namespace perrin::app {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace perrin::app
