// What `perrin show` prints, as text: pure functions of a results file.
#pragma once

#include <filesystem>
#include <string>

#include "host/console/terminal.hpp"
#include "host/store/reader.hpp"

namespace perrin::app {

// The first column named "loss" as a plot; every other column as a line of numbers and a sparkline; the timestep
// buckets (columns <name>_t<number>) as a profile over the schedule. The file's own texts are escaped; colours are not.
std::string show_text(const store::Reader& reader, const std::filesystem::path& file,
                      const console::Terminal& terminal);

// One object and a newline: status, configuration, provenance, and of each column first, last, min, max and the mean
// of the last tenth (null where there is none).
std::string show_json(const store::Reader& reader, const std::filesystem::path& file);

}  // namespace perrin::app
