// Scalar parts of random.hpp: one block at a time, compiled for the baseline only.
#include <bit>
#include <string>

#include "host/base/error.hpp"
#include "host/kernels/cpu/random_body.hpp"

namespace perrin::random {

Counter philox(const Counter& counter, const Key& key) {
  const detail::Block b = detail::philox_block({counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
  return {b.w0, b.w1, b.w2, b.w3};
}

Key stream_key(const Stream& stream) {
  const Counter mixed = philox(
      {static_cast<uint32_t>(stream.seed), static_cast<uint32_t>(stream.seed >> 32), stream.purpose, stream.step},
      {0x50455252u, 0x494E0001u});
  return {mixed[0], mixed[1]};
}

float normal_reference(const Stream& stream, uint64_t sample, uint64_t element) {
  const uint64_t block = element / 4;
  const Counter words = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                static_cast<uint32_t>(sample), static_cast<uint32_t>(sample >> 32)},
                               stream_key(stream));
  const unsigned pair = element % 4 / 2;
  const detail::Pair z = detail::box_muller(words[2 * pair], words[2 * pair + 1]);
  return element % 2 == 0 ? z.first : z.second;
}

namespace {

// Luby-Rackoff on two halves of left_bits and right_bits, alternating, 8 rounds.
uint64_t feistel(const Key& key, unsigned left_bits, unsigned right_bits, uint64_t value) {
  const uint64_t right_mask = (uint64_t{1} << right_bits) - 1, left_mask = (uint64_t{1} << left_bits) - 1;
  uint64_t left = value >> right_bits, right = value & right_mask;
  for (uint32_t round = 0; round < 8; ++round) {
    uint64_t& target = round % 2 == 0 ? left : right;
    const uint64_t source = round % 2 == 0 ? right : left;
    const Counter f = philox({static_cast<uint32_t>(source), round, left_bits + right_bits, 0}, key);
    target ^= (round % 2 == 0 ? left_mask : right_mask) & f[0];
  }
  return left << right_bits | right;
}

}  // namespace

uint64_t keyed_permutation(uint64_t seed, uint32_t epoch, uint64_t n, uint64_t i) {
  if (i >= n || n > (uint64_t{1} << 62)) {
    throw Error("keyed_permutation: index " + std::to_string(i) + " is not below n = " + std::to_string(n));
  }
  if (n == 1) return 0;
  const unsigned width = n < 4 ? 2 : static_cast<unsigned>(std::bit_width(n - 1));
  const Key key = stream_key({seed, 0x5045524Du, epoch});
  do {
    i = feistel(key, width / 2, width - width / 2, i);
  } while (i >= n);
  return i;
}

}  // namespace perrin::random
