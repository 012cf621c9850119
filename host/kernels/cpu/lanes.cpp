#include "host/kernels/cpu/lanes.hpp"

namespace perrin::kernels {

float* kept_floats(Slot slot, int64_t n) {
  struct Kept {
    AlignedFloats memory;
    int64_t size = 0;
  };
  static thread_local Kept all[static_cast<int>(Slot::count)];
  Kept& kept = all[static_cast<int>(slot)];
  if (kept.size < n) {
    kept.size = 0;
    kept.memory.reset();
    kept.memory = aligned_floats(n);
    kept.size = n;
  }
  return kept.memory.get();
}

}  // namespace perrin::kernels
