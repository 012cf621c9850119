// Philox for many consecutive blocks. Written with intrinsics because the compiler turns the 32x32 -> 64 bit products
// into full 64-bit multiplications. Each 64-bit lane carries one counter word in its low half; the multiplication
// ignores what is in the high half, so no masking is needed until the words are stored.
#include <immintrin.h>

#include "host/kernels/cpu/random_body.hpp"

namespace perrin::random::detail {
namespace {

void lanes_baseline(Key key, Block c, int lanes, Words& out) {
  for (int l = 0; l < lanes; ++l) {
    const Block b = philox_block({c.w0 + static_cast<uint32_t>(l), c.w1, c.w2, c.w3}, key[0], key[1]);
    out.w[0][l] = b.w0, out.w[1][l] = b.w1, out.w[2][l] = b.w2, out.w[3][l] = b.w3;
  }
}

#pragma GCC push_options
#pragma GCC target("avx2")
void lanes_avx2(Key key, Block c, int lanes, Words& out) {
  const __m256i m0 = _mm256_set1_epi64x(kMultiplier0), m1 = _mm256_set1_epi64x(kMultiplier1);
  for (int l = 0; l < lanes; l += 8) {
    __m256i w[2][4];  // even and odd lanes
    for (int odd = 0; odd < 2; ++odd) {
      const __m256i offsets = _mm256_setr_epi64x(l + odd, l + 2 + odd, l + 4 + odd, l + 6 + odd);
      w[odd][0] = _mm256_add_epi64(_mm256_set1_epi64x(c.w0), offsets);
      w[odd][1] = _mm256_set1_epi64x(c.w1), w[odd][2] = _mm256_set1_epi64x(c.w2), w[odd][3] = _mm256_set1_epi64x(c.w3);
    }
    for (uint32_t round = 0; round < 10; ++round) {
      const __m256i k0 = _mm256_set1_epi64x(key[0] + round * kWeyl0), k1 = _mm256_set1_epi64x(key[1] + round * kWeyl1);
      for (__m256i* v : {w[0], w[1]}) {
        const __m256i p0 = _mm256_mul_epu32(v[0], m0), p1 = _mm256_mul_epu32(v[2], m1);
        v[0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), v[1]), k0);
        v[2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), v[3]), k1);
        v[1] = p1, v[3] = p0;
      }
    }
    for (int i = 0; i < 4; ++i) {
      const __m256i words = _mm256_blend_epi32(w[0][i], _mm256_slli_epi64(w[1][i], 32), 0xAA);
      _mm256_store_si256(reinterpret_cast<__m256i*>(&out.w[i][l]), words);
    }
  }
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f")
void lanes_avx512(Key key, Block c, int lanes, Words& out) {
  const __m512i m0 = _mm512_set1_epi64(kMultiplier0), m1 = _mm512_set1_epi64(kMultiplier1);
  const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
  for (int l = 0; l < lanes; l += 16) {
    __m512i w[2][4];  // even and odd lanes
    for (int odd = 0; odd < 2; ++odd) {
      w[odd][0] = _mm512_add_epi64(_mm512_set1_epi64(int64_t{c.w0} + l + odd), even);
      w[odd][1] = _mm512_set1_epi64(c.w1), w[odd][2] = _mm512_set1_epi64(c.w2), w[odd][3] = _mm512_set1_epi64(c.w3);
    }
    for (uint32_t round = 0; round < 10; ++round) {
      const __m512i k0 = _mm512_set1_epi64(key[0] + round * kWeyl0), k1 = _mm512_set1_epi64(key[1] + round * kWeyl1);
      for (__m512i* v : {w[0], w[1]}) {
        const __m512i p0 = _mm512_mul_epu32(v[0], m0), p1 = _mm512_mul_epu32(v[2], m1);
        v[0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), v[1], k0, 0x96);
        v[2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), v[3], k1, 0x96);
        v[1] = p1, v[3] = p0;
      }
    }
    for (int i = 0; i < 4; ++i) {
      const __m512i words = _mm512_mask_blend_epi32(0xAAAA, w[0][i], _mm512_slli_epi64(w[1][i], 32));
      _mm512_store_si512(&out.w[i][l], words);
    }
  }
}
#pragma GCC pop_options

}  // namespace

void philox_lanes(Key key, uint64_t sample, uint64_t first_block, int lanes, Words& out) {
  const Block c = {static_cast<uint32_t>(first_block), static_cast<uint32_t>(first_block >> 32),
                   static_cast<uint32_t>(sample), static_cast<uint32_t>(sample >> 32)};
  switch (kernels::active_isa()) {
    case kernels::Isa::avx512:
      return lanes_avx512(key, c, lanes, out);
    case kernels::Isa::avx2:
      return lanes_avx2(key, c, lanes, out);
    case kernels::Isa::baseline:
      return lanes_baseline(key, c, lanes, out);
  }
}

}  // namespace perrin::random::detail
