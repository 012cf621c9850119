// perrin-engine as a process of its own: what became of it is known however a plugin ended it.
#pragma once

#include <filesystem>

namespace perrin::app {

// Runs `engine` with these arguments until it ends, passing on each signal that comes. Returns its exit code. An end that
// the engine did not mark (exit and _exit called by a plugin, a signal) is a failure, and named unless the engine did so
// itself. Throws perrin::Error if it cannot be started.
int run_engine(const std::filesystem::path& engine, char** argv);

}  // namespace perrin::app
