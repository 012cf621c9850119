// What a program installs so that plugins can talk to its user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/services/offer.hpp"

namespace perrin::services {

// Each function may be empty and is called from any thread. `plugin`: the file name of the library that speaks.
struct Hooks {
  std::function<void(uint32_t level, std::string_view plugin, std::string_view line)>
      log;  // PERRIN_LOG_*; empty: stderr
  std::function<void(uint64_t done, uint64_t total, std::string_view what)> progress;
  std::function<bool()> cancelled;
  std::vector<std::filesystem::path> data_folders;  // where artifact/1 looks first: the experiment file's folder
  Offers component;  // of which extractor/1 opens; empty: there are none
};

// Before a plugin is created; not while one runs.
void set_hooks(Hooks hooks);

// What a component has found by perrin.artifact/1.
struct Artifact {
  std::string component;  // its id; empty: the host itself
  std::string name;       // as it asked
  std::filesystem::path path;
  bool operator==(const Artifact&) const = default;
};
// Since set_hooks, each once, in the order of the first finds.
std::vector<Artifact> artifacts();

// A warning about a plugin, to the installed log. Never throws.
void warn(std::string_view library, std::string_view line) noexcept;

// The installed `cancelled`'s answer; false where none is installed.
bool asked_to_stop();

// The installed `component`'s answer. Throws perrin::Error, also where none is installed.
Offer find_component(const std::string& kind, const std::string& use);

}  // namespace perrin::services
