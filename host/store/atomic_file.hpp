// Files that are there whole or not at all, and errors of the file system in the words of the user.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "host/base/error.hpp"

namespace perrin::store {

// "cannot <doing> <path>: <reason of error_number>", with the fix for full and for read-only places.
Error file_error(const std::string& doing, const std::filesystem::path& path, int error_number);

// Writes the parts one after the other to `<path>.tmp`, fsyncs, renames over `path`, fsyncs the folder.
// On an Error neither `<path>.tmp` nor a changed `path` is left.
void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);

// The last steps of it, for a `temporary` that lies whole beside `path`.
void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

// Makes a rename or a new name in the folder of `path` survive a power cut; file systems that cannot are left alone.
void sync_folder(const std::filesystem::path& path);

}  // namespace perrin::store
