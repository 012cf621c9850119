// Where a command's files go, known to be writable before the work that fills them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace perrin::app {

// The name before the endings of what --out says: `out` itself, or without its ending where that is one of `endings`
// (".png"). Makes the missing folders. Throws Error, usage, for an empty name and one that ends in "/", and Error where
// a file of that name with any of the endings cannot be written: its folder or itself is no place for one, the name is
// too long, nobody may write there.
std::filesystem::path output_stem(const std::filesystem::path& out, const std::vector<std::string>& endings);

// The same of one file with the name that it has.
void check_output(const std::filesystem::path& file);

}  // namespace perrin::app
