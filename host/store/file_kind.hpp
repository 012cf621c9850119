// What a file is that was named where weights in safetensors are needed, by its first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace perrin::store {

struct FileKind {
  std::string what;  // "a PyTorch file (zip of pickles)"; empty: nothing that is known
  std::string fix;   // what to do, with the line that converts it
};
FileKind kind_of(std::span<const std::byte> file, const std::string& path);

}  // namespace perrin::store
