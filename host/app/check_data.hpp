// What `perrin check --data` finds: samples that cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/services/component.hpp"

namespace perrin::app {

struct UnreadableSample {
  uint64_t index = 0;
  std::string reason;  // the dataset's own words, which name the file where there is one
};

// Reads every sample, one by one on all cores, under a progress bar; in the order of their indices. Throws Error,
// interrupted, when a signal asks to stop.
std::vector<UnreadableSample> unreadable_samples(services::Component& dataset);

}  // namespace perrin::app
