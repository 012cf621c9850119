// Where the parts of Perrin lie: seen from the running program, so that an installation may be moved.
#pragma once

#include <filesystem>

namespace perrin::loader {

struct Layout {
  bool installed;                   // false: a build tree, or a program that is no part of Perrin
  std::filesystem::path helpers;    // the folder of perrin-engine and perrin-probe
  std::filesystem::path libraries;  // the folder of plugins/, and of libtorch/ where an installation brings one
};
Layout layout();

}  // namespace perrin::loader
