// Files that nobody else can have written: what a cache holds is believed, so it lies in a folder of the user's own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace perrin::loader {

// What others may not do with a folder: write alone (one that also holds what others read), or anything.
enum class Others { may_read, may_nothing };

// Makes the folder where it is missing, and takes others' rights away where it is the user's. Why it cannot be used (a
// link, another user's, no right to make it); empty: it can.
std::string private_folder_problem(const std::filesystem::path& folder, Others others = Others::may_nothing);

// open(2) of a regular file that is the user's own, which others may not write; never through a link. -1 otherwise.
int open_private(const std::filesystem::path& file, int flags);

// The whole file, as open_private opens it; none if it cannot be read.
std::optional<std::string> read_private(const std::filesystem::path& file);

// Replaces the file, mode 0600, or leaves it as it was: a cache that cannot be written costs time alone. Any thread.
bool write_private(const std::filesystem::path& file, std::string_view text);

// The ending of a file that is being made. Its writer holds a flock(2) on it; what a killed one left is nobody's.
inline constexpr const char* kPart = ".part";

// Removes a file unless a process holds it. True if it is gone.
bool remove_unheld(const std::filesystem::path& file);

// Removes every such file in the folder that nobody holds.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace perrin::loader
