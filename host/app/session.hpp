// What the engine's commands share: an experiment file, the plugins, the run's log.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/load.hpp"
#include "host/loader/registry.hpp"

namespace perrin::app {

// How a command's plugins are used.
struct Use {
  std::string device = "cpu";  // cpu, cuda or auto
  bool closely = false;        // look at every call of a plugin
};

// Makes the process's session (log, cancellation, device, and where artifact/1 looks first) and returns its registry.
loader::Registry& open_registry(std::vector<std::filesystem::path> data_folders, const Use& use = {});

// Loads a file against what the search roots offer, prints its warnings to stderr, and refuses components that cannot be
// used. Throws Diagnostics or Error, also when a signal asked to stop meanwhile.
config::Loaded load_experiment(const std::filesystem::path& file, const std::vector<std::string>& set);

// The same for another run's experiment, as it stands there.
config::Loaded load_other(const std::filesystem::path& file);

// An experiment that was recorded as resolved, against what the search roots offer now; without its warnings. Throws
// Diagnostics.
config::Loaded load_recorded(const std::string& toml);

// Throws (interrupted) if a signal asked to stop: what has not begun does not begin.
void stop_if_asked();

// What plugins warned of since the start, or until open_log.
std::vector<std::string> warnings();

// From now on what plugins log, and log_line's lines, are appended to the run's log, behind the warnings before.
void open_log(const std::filesystem::path& file);
void log_line(std::string_view line);

}  // namespace perrin::app
