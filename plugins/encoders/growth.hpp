// How far a network that grows resolution by resolution has come (1710.10196, section 2).
#pragma once

#include <algorithm>
#include <cstdint>

namespace first_stage {

// Levels are counted as the network's, 0 the finest. Training starts with the last alone; after every `every` steps one
// more joins, and fades in over the first `fade` of them.
struct Growth {
  int64_t levels, every, fade;

  struct State {
    int64_t level;  // the finest that takes part
    double alpha;   // its share; 1 - alpha is that of the network without it
  };
  // After so many steps of training.
  State after(int64_t steps) const {
    const int64_t grown = std::min(steps / every, levels - 1);
    if (grown == 0 || fade == 0) return {levels - 1 - grown, 1};
    return {levels - 1 - grown, std::min(static_cast<double>(steps - grown * every) / static_cast<double>(fade), 1.0)};
  }
};

}  // namespace first_stage
