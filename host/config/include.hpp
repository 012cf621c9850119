// Files and what they include. Internal to host/config.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/config/diagnostics.hpp"
#include "host/config/node.hpp"

namespace perrin::config {

inline constexpr size_t kLargestFile = 512 * 1024;  // bytes
inline constexpr int kDeepestInclude = 16;

// The whole file; perrin::Error when it is missing (with the nearest name beside it), a folder, unreadable or larger
// than kLargestFile.
std::string read_file(const std::filesystem::path& file);

// Parses `text` as `name` and merges it over the file that it includes, if any. Faults go to the log; what could be
// read is returned.
Table read_with_includes(std::string text, const std::string& name, Log& log);

}  // namespace perrin::config
