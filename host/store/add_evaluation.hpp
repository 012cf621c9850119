// Adds what was measured after a run to its file.
#pragma once

#include <filesystem>

#include "host/store/evaluation.hpp"

namespace perrin::store {

// Of a run that no process writes; all else in the file stays, other programs' groups too. A whole new file
// replaces the old one, so that a kill leaves one of the two. Throws Error, also where the run is being written.
void add_evaluation(const std::filesystem::path& run_file, const Evaluation& evaluation);

}  // namespace perrin::store
