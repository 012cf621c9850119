// Where plugins are looked for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace perrin::loader {

// The folders that listing and running use.
struct Places {
  std::vector<std::filesystem::path> roots;  // in order; missing ones are allowed
  std::filesystem::path probe;               // the program perrin-probe
  std::filesystem::path cache;               // the index; empty: there is none
  std::vector<std::filesystem::path> named = {};  // those of the roots that PERRIN_PLUGIN_PATH names
};

// Where a user's caches lie: perrin in XDG_CACHE_HOME (~/.cache), a folder of the user's own. Each cache below it is one
// that nobody else reads.
struct CacheRoot {
  std::filesystem::path path;  // empty: none can be used
  std::string problem;         // why
};
CacheRoot cache_root();

// Why there is no cache, as a line for the user, the first time that it is asked for; empty otherwise.
std::string cache_note();

// The folder of one cache below it, made where it is missing; empty where there is none.
std::filesystem::path cache_folder(std::string_view name);

// Roots: plugins/ among the libraries of this installation or build tree (layout.hpp), each folder of
// PERRIN_PLUGIN_PATH (separated by colons), perrin/plugins in XDG_DATA_HOME (~/.local/share). Probe: among its helpers.
// Cache: cache_folder("index").
Places default_places();

// Every *.so directly in a root, symbolic links resolved, each file once: in the order of the roots, by name within.
std::vector<std::filesystem::path> find_libraries(const std::vector<std::filesystem::path>& roots);

}  // namespace perrin::loader
