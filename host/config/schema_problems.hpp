// Is what a component says of itself possible?
#pragma once

#include <string>
#include <vector>

#include "host/config/catalogue.hpp"

namespace perrin::config {

// Faults of a schema itself (no docs, a default out of its range, a key that the host reserves, ...); empty when it is
// sound.
std::vector<std::string> schema_problems(const Factory& factory);

}  // namespace perrin::config
