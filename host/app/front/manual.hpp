// perrin.1, the manual page, made of the table of commands.
#pragma once

#include <string>

namespace perrin::app {

std::string manual_page();  // as troff with the man macros

}  // namespace perrin::app
