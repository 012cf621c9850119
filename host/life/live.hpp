// A run from its experiment to its last step, for any program: nothing here knows of a command line, a terminal or a
// signal.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/life/composition.hpp"
#include "host/life/pictures.hpp"
#include "host/record/sink.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/runs/origin.hpp"
#include "host/store/layout.hpp"

namespace perrin::life {

// How another run's experiment is loaded: a guide's, for example.
using LoadExperiment = std::function<config::Loaded(const std::filesystem::path& experiment)>;

// Gives the weights that the file names, loads a guide, and finds what would fail before or after training. Throws
// Diagnostics, at its place in the file, or Error.
void prepare(Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
             const LoadExperiment& load);

// Fills composition.inputs; long reading is told to the sink. Stages before `first_stage` have begun. Throws Error,
// also (interrupted) when `stop` says so.
void identify(Composition& composition, const config::Loaded& loaded, size_t first_stage, record::Sink& sink,
              const std::function<bool()>& stop);

// The results file of a new run. argv: the command line, or what stands for it.
store::Layout layout_of(Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
                        const runs::Folder& folder, const std::vector<std::string>& argv);

// What is there already when a process takes a run up, and what its checkpoints are to say.
struct Start {
  std::optional<runs::Found> checkpoint;
  Drawn drawn;                     // the pictures that the results file keeps
  runs::Origin origin;             // of what is trained now
  std::vector<std::string> notes;  // what is different from before: told as warnings
};

struct End {
  bool finished = false;  // else `stop` ended it, and a checkpoint of its last step is on the disk
  int64_t step = 0;
  std::map<std::string, std::pair<double, double>> losses;  // by stage: at its first and last step in this process
  std::filesystem::path picture;                            // of the last step; empty: none
  double seconds = 0;
};

// Trains what is left of all stages, draws, and closes the sink. `stop` is asked after each step and while drawing. The
// sink hears "finished", "interrupted", or "failed" before an Error is thrown on.
End live(Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, record::Sink& sink,
         const Start& start, const std::function<bool()>& stop);

}  // namespace perrin::life
