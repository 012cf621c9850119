// TOML file + overrides + catalogue -> experiment.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/config/diagnostics.hpp"
#include "host/config/experiment.hpp"

namespace perrin::config {

struct Loaded {
  Experiment experiment;
  std::string resolved_toml;  // every default written out; loads back to the same text
  std::string resolved_json;
  std::vector<std::pair<std::string, std::string>> params;  // --set address -> value, text unquoted
  std::string hash;                                         // SHA-256 of resolved_toml, seed included
  std::vector<std::string> warnings;                        // rendered, ready to print; each ends with a newline
  std::string file;
  std::shared_ptr<const Sources> sources;

  // An error found after the load (plugin validation, shapes), in the load's own format; for the caller to throw.
  Diagnostics error(const Location& at, std::string message, std::string hint = {}) const;
};

// Reads `file` (at most 512 KiB) and what it includes, applies `set` ("key=value" each) in order, checks everything
// against the catalogue. Throws Diagnostics holding all errors, or Error when the file cannot be read.
Loaded load(const std::filesystem::path& file, const std::vector<std::string>& set, const Catalogue& catalogue);

// The same on text; `name` stands for the file in messages and its folder is where `include` looks.
Loaded load_text(std::string text, const std::string& name, const std::vector<std::string>& set,
                 const Catalogue& catalogue);

// docs/reference/experiment.md: the host's tables and the rules, from the tables that the checks use.
std::string experiment_reference();

}  // namespace perrin::config
