// What components are told of a call outside training.
#pragma once

#include <perrin/host/params.h>

#include <vector>

namespace perrin::model {

// Positions are borrowed.
inline perrin_call evaluation_call(uint64_t seed, const std::vector<uint64_t>& positions) {
  return {sizeof(perrin_call), 0, seed, 0, static_cast<uint32_t>(positions.size()), positions.data(), 0, 0};
}

}  // namespace perrin::model
