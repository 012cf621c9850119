// bfloat16 without LibTorch.
#pragma once

#include <cstdint>
#include <cstring>

namespace perrin::kernels {

// The storage of at::BFloat16: the upper half of a float.
struct Bfloat16 {
  uint16_t bits;
};

[[gnu::always_inline]] inline float load(const float* p) { return *p; }
[[gnu::always_inline]] inline float load(const Bfloat16* p) {
  const uint32_t bits = static_cast<uint32_t>(p->bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

[[gnu::always_inline]] inline void store(float* p, float value) { *p = value; }
// Rounds to nearest even; NaN stays NaN.
[[gnu::always_inline]] inline void store(Bfloat16* p, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  p->bits = static_cast<uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FC0u : rounded);
}

}  // namespace perrin::kernels
