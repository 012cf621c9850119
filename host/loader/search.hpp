// Where plugins are looked for.
#pragma once

#include <filesystem>
#include <vector>

namespace perrin::loader {

// The folders that listing and running use.
struct Places {
  std::vector<std::filesystem::path> roots;  // in order; missing ones are allowed
  std::filesystem::path probe;               // the program perrin-probe
  std::filesystem::path cache;               // the index; made when needed
};

// Roots: lib/perrin/plugins beside the running program's bin (the same in a build tree and an installation), each
// folder of PERRIN_PLUGIN_PATH (separated by colons), perrin/plugins in XDG_DATA_HOME (~/.local/share). Probe: beside
// the program, or in ../libexec/perrin. Cache: perrin/index in XDG_CACHE_HOME (~/.cache).
Places default_places();

// Every *.so directly in a root, symbolic links resolved, each file once: in the order of the roots, by name within.
std::vector<std::filesystem::path> find_libraries(const std::vector<std::filesystem::path>& roots);

}  // namespace perrin::loader
