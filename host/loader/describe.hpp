// A library's descriptors as the catalogue has them.
#pragma once

#include <string>
#include <vector>

#include "host/config/catalogue.hpp"
#include "host/loader/registry.hpp"

namespace perrin::loader {

// All components of the kinds this host knows. Throws perrin::Error with every fault of the descriptors (structs too
// small, missing functions, no documentation, defaults that do not parse or are out of range, an id twice). Follows the
// library's pointers: only perrin-probe does that to a library that nobody has looked at yet.
std::vector<config::Factory> describe(const Library& library);

}  // namespace perrin::loader
