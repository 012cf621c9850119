// The formulas of random.hpp as inlined scalar code; loops over them vectorise. Private to host/kernels/cpu.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "host/kernels/isa.hpp"
#include "host/kernels/random.hpp"

namespace perrin::random::detail {

struct Block {
  uint32_t w0, w1, w2, w3;
};

// SC11, section 3.3 and Random123 philox.h: multipliers and Weyl increments of philox4x32.
inline constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;

PERRIN_INLINE Block philox_block(Block c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{kMultiplier0} * c.w0;
    const uint64_t p1 = uint64_t{kMultiplier1} * c.w2;
    const uint32_t h0 = static_cast<uint32_t>(p0 >> 32), h1 = static_cast<uint32_t>(p1 >> 32);
    c = {h1 ^ c.w1 ^ k0, static_cast<uint32_t>(p1), h0 ^ c.w3 ^ k1, static_cast<uint32_t>(p0)};
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return c;
}

PERRIN_INLINE float as_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

PERRIN_INLINE uint32_t as_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// ln u for u in [2^-33, 1]: u = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); ln(1 + f) = f - f^2/2 + f^3 P(f), P the
// minimax polynomial of degree 8 (relative error 7e-10 before rounding).
PERRIN_INLINE float log_unit(float u) {
  const uint32_t shifted = as_bits(u) - 0x3F3504F3u;  // bits of sqrt(1/2)
  const int32_t k = static_cast<int32_t>(shifted) >> 23;
  const float f = as_float((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
  float p = 0x1.1b42c2p-4f;
  p = std::fma(p, f, -0x1.e2e9b4p-4f);
  p = std::fma(p, f, 0x1.e650a2p-4f);
  p = std::fma(p, f, -0x1.fb432ap-4f);
  p = std::fma(p, f, 0x1.2332c0p-3f);
  p = std::fma(p, f, -0x1.5562e4p-3f);
  p = std::fma(p, f, 0x1.99a546p-3f);
  p = std::fma(p, f, -0x1.ffffeep-3f);
  p = std::fma(p, f, 0x1.555546p-2f);
  const float f2 = f * f;
  const float kf = static_cast<float>(k);
  float tail = std::fma(f2 * f, p, kf * 0x1.7f7d1cp-20f);  // ln 2 = 0x1.62e4p-1 + 0x1.7f7d1cp-20
  tail = std::fma(-0.5f, f2, tail);
  return std::fma(kf, 0x1.62e4p-1f, f + tail);
}

struct Pair {
  float first, second;
};

// (cos, sin) of 2 pi w 2^-32: the quadrant is the nearest of four, the rest t in [-1, 1) eighths of a turn; minimax
// polynomials in t^2 (relative error 3e-9 and 7e-11 before rounding).
PERRIN_INLINE Pair cos_sin_turn(uint32_t w) {
  const uint32_t quadrant = (w + 0x20000000u) >> 30;
  const float t = static_cast<float>(static_cast<int32_t>(w - (quadrant << 30))) * 0x1p-29f;
  const float z = t * t;
  float s = -0x1.2d9302p-15f;
  s = std::fma(s, z, 0x1.465e92p-9f);
  s = std::fma(s, z, -0x1.4abbbap-4f);
  s = std::fma(s, z, 0x1.921fb6p-1f);
  s *= t;
  float c = 0x1.d9d57ep-19f;
  c = std::fma(c, z, -0x1.55c5e0p-12f);
  c = std::fma(c, z, 0x1.03c1dep-6f);
  c = std::fma(c, z, -0x1.3bd3ccp-2f);
  c = std::fma(c, z, 1.0f);
  const bool swap = (quadrant & 1u) != 0;
  const uint32_t cos_sign = ((quadrant + 1u) & 2u) << 30, sin_sign = (quadrant & 2u) << 30;
  return {as_float(as_bits(swap ? s : c) ^ cos_sign), as_float(as_bits(swap ? c : s) ^ sin_sign)};
}

PERRIN_INLINE Pair box_muller(uint32_t w0, uint32_t w1) {
  const float high = static_cast<float>(static_cast<int32_t>(w0 >> 16));
  const float low = static_cast<float>(static_cast<int32_t>(w0 & 0xFFFFu));
  const float u = std::fma(std::fma(high, 65536.0f, low), 0x1p-32f, 0x1p-33f);
  const float r = std::sqrt(-2.0f * log_unit(u));
  const Pair turn = cos_sin_turn(w1);
  return {r * turn.first, r * turn.second};
}

inline constexpr int kLanes = 64;
inline constexpr int kChunk = 4 * kLanes;  // elements

struct Words {
  alignas(64) uint32_t w[4][kLanes];
};

// Blocks first_block .. first_block + lanes - 1 of one sample, word-major.
// REQUIRES: first_block % kLanes == 0 (the low counter word does not carry inside a chunk), lanes % 16 == 0.
void philox_lanes(Key key, uint64_t sample, uint64_t first_block, int lanes, Words& out);

// 4 * lanes normals of consecutive blocks in element order.
PERRIN_INLINE void normal_lanes(Key key, uint64_t sample, uint64_t first_block, int lanes, float* out) {
  Words words;
  philox_lanes(key, sample, first_block, lanes, words);
  for (int l = 0; l < lanes; ++l) {
    const Pair a = box_muller(words.w[0][l], words.w[1][l]);
    const Pair b = box_muller(words.w[2][l], words.w[3][l]);
    out[4 * l] = a.first;
    out[4 * l + 1] = a.second;
    out[4 * l + 2] = b.first;
    out[4 * l + 3] = b.second;
  }
}

// Walks elements [first, first + n) in chunks aligned to kChunk: visit(chunk's first block, lanes needed, offset of the
// first wanted element in the chunk, wanted elements, position in the output).
template <class Visit>
PERRIN_INLINE void for_chunks(uint64_t first, uint64_t n, Visit visit) {
  uint64_t done = 0;
  while (done < n) {
    const uint64_t element = first + done;
    const uint64_t offset = element % kChunk;
    const uint64_t left = kChunk - offset;
    const uint64_t wanted = n - done < left ? n - done : left;
    const int lanes = static_cast<int>((offset + wanted + 63) / 64 * 16);
    visit((element - offset) / 4, lanes, offset, wanted, done);
    done += wanted;
  }
}

// The same over elements [begin, end) of a batch whose rows of row_size elements are each a sample:
// visit(row, chunk's first block, lanes needed, offset of the first wanted element in the chunk, wanted elements, position
// in the batch).
template <class Visit>
PERRIN_INLINE void for_row_chunks(int64_t row_size, int64_t begin, int64_t end, Visit visit) {
  for (int64_t at = begin; at < end;) {
    const int64_t row = at / row_size, next = (row + 1) * row_size, row_end = next < end ? next : end;
    for_chunks(
        static_cast<uint64_t>(at - row * row_size), static_cast<uint64_t>(row_end - at),
        [&] [[gnu::always_inline]] (uint64_t block, int lanes, uint64_t offset, uint64_t wanted, uint64_t done) {
          visit(row, block, lanes, offset, static_cast<int64_t>(wanted), at + static_cast<int64_t>(done));
        });
    at = row_end;
  }
}

// Normals of one sample into out, through a small buffer where the range does not start or end on a chunk.
PERRIN_INLINE void normal_range(Key key, uint64_t sample, uint64_t first, uint64_t n, float* out) {
  for_chunks(first, n,
             [&] [[gnu::always_inline]] (uint64_t block, int lanes, uint64_t offset, uint64_t wanted, uint64_t at) {
               alignas(64) float buffer[kChunk];
               normal_lanes(key, sample, block, lanes, buffer);
               std::memcpy(out + at, buffer + offset, wanted * sizeof(float));
             });
}

}  // namespace perrin::random::detail
