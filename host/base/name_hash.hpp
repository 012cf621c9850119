// Which random numbers a name owns.
#pragma once

#include <cstdint>
#include <string_view>

namespace perrin {

// FNV-1a. A run's noise depends on it: never changed.
inline uint64_t name_hash(std::string_view name) {
  uint64_t hash = 14695981039346656037u;
  for (const unsigned char c : name) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

}  // namespace perrin
