// Stateless random numbers: every number is a pure function of (seed, purpose, step, sample index, element).
//
// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11). For element i of a sample:
//   counter = (block low, block high, sample low, sample high), block = i / 4 (i / 2 for 53-bit numbers)
//   key     = the first two words of philox(counter = (seed low, seed high, purpose, step), key = (0x50455252,
//   0x494E0001))
// Element i is word i % 4 of its block, whatever range is asked. The same bits come from the scalar reference, from
// every instruction set and (same formulas, explicit fused multiply-adds) from a GPU.
//
// Two streams whose (seed, purpose, step) differ share a key with probability 2^-64.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace perrin::random {

struct Stream {
  uint64_t seed = 0;
  uint32_t purpose = 0;  // one number per use (data order, noise, timesteps, initialisation, ...)
  uint32_t step = 0;
};

using Counter = std::array<uint32_t, 4>;
using Key = std::array<uint32_t, 2>;

// One Philox4x32-10 block.
Counter philox(const Counter& counter, const Key& key);
Key stream_key(const Stream& stream);

// Elements first_element .. first_element + out.size() - 1 of one sample. Any thread.
void bits(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<uint32_t> out);
// ((w >> 8) + 1) 2^-24, in (0, 1].
void uniform(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<float> out);
// 53 bits of words 2i, 2i + 1: (((w_2i 2^32 + w_2i+1) >> 11) + 1) 2^-53, in (0, 1].
void uniform(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<double> out);
// Box-Muller on the word pairs (0,1) and (2,3) of a block: r = sqrt(-2 ln u), u = (w + 1/2) 2^-32 rounded to float, so
// |z| <= 6.77; elements 2k and 2k+1 are r cos and r sin of 2 pi w' 2^-32. Error against exact arithmetic on the same
// words below 4 ulp of max(|z|, 2^-20 r).
void normal(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<float> out);

// The scalar reference of normal(), the same bits.
float normal_reference(const Stream& stream, uint64_t sample, uint64_t element);

// A bijection of [0, n): where index i of an epoch's order points. Stateless shuffle: an 8-round Feistel network with
// Philox as the round function on the smallest power of two >= n, walked until it falls below n (at most 2 rounds on
// average). REQUIRES: 0 <= i < n <= 2^62, else throws perrin::Error.
uint64_t keyed_permutation(uint64_t seed, uint32_t epoch, uint64_t n, uint64_t i);

}  // namespace perrin::random
