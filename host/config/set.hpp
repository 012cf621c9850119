// --set key=value. Internal to host/config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/config/diagnostics.hpp"
#include "host/config/node.hpp"

namespace perrin::config {

struct PathPart {
  std::string name;
  Location at;
};

struct Override {
  std::vector<PathPart> path;
  Node value;
};

// "stage.train.steps=50": parts are separated by dots, a part with dots in it is quoted; the value is TOML, and a bare
// word is text. Faults go to the log.
std::optional<Override> parse_override(const Source& source, Log& log);

// Puts one override into the tree; tables on the way are made. Faults go to the log.
void apply_override(Table& root, Override override, Log& log);

}  // namespace perrin::config
