// Inlined scalar functions whose loops vectorise. Private to host/kernels/cpu.
#pragma once

#include <cstdint>
#include <cstring>

#include "host/kernels/isa.hpp"

namespace perrin::kernels {

// e^x for |x| <= 87, relative error below 2e-7. 2^k e^r with |r| <= ln 2 / 2, e^r - 1 - r by the minimax polynomial of
// degree 6 (3e-9).
PERRIN_INLINE float exp_in_range(float x) {
  const float shifted = x * 0x1.715476p+0f + 0x1.8p+23f;  // the integer sits in the low mantissa bits
  uint32_t k;
  std::memcpy(&k, &shifted, sizeof k);
  const float n = shifted - 0x1.8p+23f;
  const float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
  float p = 0x1.6db416p-10f;
  p = p * r + 0x1.123b46p-7f;
  p = p * r + 0x1.55545ep-5f;
  p = p * r + 0x1.555490p-3f;
  p = p * r + 0.5f;
  const float e = (p * r * r + r) + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &e, sizeof bits);
  bits += k << 23;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// s = 1 / (1 + e^-x) for N values. The clamp is a loop of its own: in one expression the compiler turns it into a
// branch whose constant side it computes for every lane, and h * sigmoid(-87) is denormal, which costs a hundred
// cycles.
template <int N>
PERRIN_INLINE void sigmoid(const float* x, float* s) {
  alignas(64) float minus[N];
  for (int l = 0; l < N; ++l) {
    const float lower = x[l] > 87.0f ? 87.0f : x[l];
    minus[l] = lower < -87.0f ? 87.0f : -lower;
  }
  for (int l = 0; l < N; ++l) s[l] = 1.0f / (1.0f + exp_in_range(minus[l]));
}

}  // namespace perrin::kernels
