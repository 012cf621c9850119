// What the engine's commands share: an experiment file, the plugins, the run's log.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/loader/registry.hpp"
#include "host/record/log_file.hpp"

namespace perrin::app {

// How a command's plugins are used.
struct Use {
  std::string device = "cpu";  // cpu, cuda or auto
  bool closely = false;        // look at every call of a plugin
  std::shared_ptr<record::LogFile> log = {};  // hears what plugins warn of, and once it is open, all that they say
};

// Makes the process's session (words on stderr, cancellation, device, and where artifact/1 looks first) and returns its
// registry.
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

}  // namespace perrin::app
