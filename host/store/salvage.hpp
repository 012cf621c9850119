// Inside host/store only: what can still be read of a damaged run file.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/store/run_file.hpp"

namespace perrin::store {

struct Salvaged {
  std::vector<Rows> rows;                                                     // of each group of the layout
  std::vector<std::vector<std::pair<int64_t, std::vector<uint8_t>>>> images;  // of each tag: steps and pixels
  std::vector<Segment> segments;                                              // as far as they can be read
  std::vector<Evaluation> evaluations;                                        // all, or none
  std::string start_time;                                                     // empty: unknown
};

// The rows of each group up to the first that cannot be read or cannot be right, and those images, with step <= `last`.
// Never throws Failure.
Salvaged salvage(const std::filesystem::path& file, const Layout& layout, int64_t last);

}  // namespace perrin::store
