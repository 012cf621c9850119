// The environment's variables.
#pragma once

#include <cstdlib>
#include <string_view>

namespace perrin {

// What a variable says, with a zero behind it; empty also where there is none. Valid until it is set again.
inline std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace perrin
