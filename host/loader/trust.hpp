// Whose code may run.
#pragma once

#include <filesystem>

namespace perrin::loader {

// Throws perrin::Error, with what to do, for a library that somebody else can put there or change: the file, its folder or
// one above it is every user's to write, or belongs to neither this user, nor root, nor the owner of this program.
void require_trusted(const std::filesystem::path& file);

}  // namespace perrin::loader
