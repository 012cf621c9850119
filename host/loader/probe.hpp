// Looks at a plugin in a process of its own: whatever the plugin does, the host goes on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/config/catalogue.hpp"

namespace perrin::loader {

// Why a library cannot be used.
struct Problem {
  std::string what, fix;
};

struct ProbeResult {
  std::vector<config::Factory> components;  // also with a problem, if it came after they were described
  std::optional<Problem> problem;
};

// Starts `program FILE` (posix_spawn, a process group of its own) and reads its lines. Not a sandbox: a plugin is code
// with the user's rights. The problem names the step in which the plugin crashed, hung beyond `seconds`, ended the
// process or misbehaved. Throws perrin::Error only if the program itself cannot be started.
ProbeResult probe(const std::filesystem::path& program, const std::filesystem::path& file, double seconds = 20);

// The probe's protocol, one JSON object a line: {"step": {"component": ..., "call": ...}} before each way into the
// plugin,
// {"component": {...}} for each description, {"problem": {"what": ..., "fix": ...}}, {"done": true} at the very end.

}  // namespace perrin::loader
