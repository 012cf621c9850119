// `perrin show RUN`: a run's results in the terminal, finished or still going. Loads no LibTorch.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace perrin::app {

// Prints status, composition, curves, samples and segments, or one JSON object. Returns the exit code; throws Error.
int show(const std::filesystem::path& run_folder_or_file, bool json);

// The command line: RUN [--json].
int show_command(const std::vector<std::string>& arguments);

}  // namespace perrin::app
