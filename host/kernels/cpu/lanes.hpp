// W floats in one register (or several where the processor's are shorter). Private to host/kernels/cpu.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "host/kernels/isa.hpp"

namespace perrin::kernels {

template <int W>
struct Vector {
  typedef float Float __attribute__((vector_size(W * sizeof(float)), may_alias));
  typedef int32_t Int __attribute__((vector_size(W * sizeof(float))));
};
template <int W>
using Float = typename Vector<W>::Float;

// Any float address: a vector type of lower alignment is taken for an aligned one by some g++ 12 (Ubuntu 22.04's).
template <int W>
PERRIN_INLINE Float<W> read(const float* p) {
  Float<W> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <int W>
PERRIN_INLINE void write(float* p, Float<W> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Calls Kernel<W> for the widest W that the instruction set keeps in registers.
template <template <int> class Kernel, class... Args>
void dispatch_lanes(Args... args) {
  switch (active_isa()) {
    case Isa::avx512:
      return detail::run_avx512<Kernel<16>>(args...);
    case Isa::avx2:
      return detail::run_avx2<Kernel<8>>(args...);
    case Isa::baseline:
      return detail::run_baseline<Kernel<4>>(args...);
  }
}

struct FreeAligned {
  void operator()(float* p) const { operator delete[](p, std::align_val_t(64)); }
};
using AlignedFloats = std::unique_ptr<float[], FreeAligned>;

// n floats, not initialised, on a 64-byte boundary.
inline AlignedFloats aligned_floats(int64_t n) {
  return AlignedFloats(new (std::align_val_t(64)) float[static_cast<size_t>(n)]);
}

// n floats, not initialised, on a 64-byte boundary, that this thread keeps for its next call: a fresh megabyte costs
// more in page faults than some kernels in arithmetic. Valid until this thread asks for the same slot again.
enum class Slot : int { weights, block, sums, count };
float* kept_floats(Slot slot, int64_t n);

}  // namespace perrin::kernels
