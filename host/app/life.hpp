// One process's part of a run: what `perrin run` and `perrin resume` share.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/life/composition.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/runs/origin.hpp"
#include "host/store/writer.hpp"

namespace perrin::app {

// What is there already when a process takes a run up, and what its checkpoints are to say.
struct Start {
  std::optional<runs::Found> checkpoint;
  std::set<std::pair<std::string, int64_t>> drawn;  // tags and steps of the pictures that the results file keeps
  runs::Origin origin;                              // of what is trained now
  std::vector<std::string> notes;                   // what the user was told, for the run's log
};

// The results file of a new run. argv: the command line.
store::Layout layout_of(life::Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
                        const runs::Folder& folder, const std::vector<std::string>& argv);

// Fills composition.inputs; long reading shows a bar. Stages before `first_stage` have begun.
void identify(life::Composition& composition, const config::Loaded& loaded, size_t first_stage);

// Trains to the end, draws, prints the summary. The exit code.
int live(life::Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, store::Writer writer,
         const Start& start, bool json);

// "perrin", the command, its arguments.
std::vector<std::string> command_line(const char* command, const std::vector<std::string>& arguments);

}  // namespace perrin::app
