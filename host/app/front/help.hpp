// What `perrin --help` and a group's --help print; a command's is Command::help.
#pragma once

#include <string>

#include "host/app/commands.hpp"

namespace perrin::app {

std::string overview();
std::string group_help(const Row& group);

}  // namespace perrin::app
