// Reads what a shared library says about itself, from its bytes; nothing of it is executed or mapped.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "perrin/abi.h"

namespace perrin::loader {

// What a shared library of this machine's architecture declares.
struct Elf {
  std::optional<perrin_note> note;   // .note.perrin.abi
  std::string build_id;              // GNU build id in hexadecimal; empty if the linker wrote none
  std::vector<std::string> needed;   // DT_NEEDED, in order
  std::vector<std::string> exports;  // dynamic symbols that it defines, sorted
  std::vector<std::string> imports;  // those that it expects from others, sorted
  std::vector<std::string> unique;   // exports of binding GNU_UNIQUE: they survive dlclose and cross RTLD_LOCAL
};

// Throws perrin::Error at `name` for bytes that are not an ELF file, of another class, byte order or architecture, not
// a shared object, cut off or damaged, or whose note has another size. Any bytes are safe to pass.
Elf read_elf(std::span<const std::byte> bytes, const std::string& name);

// read_elf's note; throws if there is none.
perrin_note read_note(const Elf& elf, const std::string& name);

// The build id of an ELF program or library, empty if it has none or cannot be read.
std::string build_id_of(const std::filesystem::path& file);

}  // namespace perrin::loader
