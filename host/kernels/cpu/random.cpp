#include "host/kernels/random.hpp"

#include <algorithm>
#include <iterator>

#include "host/kernels/cpu/random_body.hpp"

namespace perrin::random {
namespace {

using namespace detail;

struct BitsKernel {
  PERRIN_INLINE static void run(Key key, uint64_t sample, uint64_t first, uint64_t n, uint32_t* out) {
    for_chunks(first, n,
               [&] [[gnu::always_inline]] (uint64_t block, int lanes, uint64_t offset, uint64_t wanted, uint64_t at) {
                 Words words;
                 alignas(64) uint32_t buffer[kChunk];
                 philox_lanes(key, sample, block, lanes, words);
                 for (int l = 0; l < lanes; ++l) {
                   for (int i = 0; i < 4; ++i) buffer[4 * l + i] = words.w[i][l];
                 }
                 std::memcpy(out + at, buffer + offset, wanted * sizeof(uint32_t));
               });
  }
};

struct UniformKernel {
  PERRIN_INLINE static void run(const uint32_t* words, uint64_t n, float* out) {
    for (uint64_t i = 0; i < n; ++i) out[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8) + 1) * 0x1p-24f;
  }
};

struct NormalKernel {
  PERRIN_INLINE static void run(Key key, uint64_t sample, uint64_t first, uint64_t n, float* out) {
    normal_range(key, sample, first, n, out);
  }
};

}  // namespace

void bits(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<uint32_t> out) {
  kernels::dispatch<BitsKernel>(stream_key(stream), sample, first_element, uint64_t{out.size()}, out.data());
}

void uniform(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<float> out) {
  uint32_t words[1024];
  for (uint64_t at = 0; at < out.size(); at += std::size(words)) {
    const uint64_t n = std::min<uint64_t>(std::size(words), out.size() - at);
    bits(stream, sample, first_element + at, {words, n});
    kernels::dispatch<UniformKernel>(static_cast<const uint32_t*>(words), n, out.data() + at);
  }
}

void uniform(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<double> out) {
  uint32_t words[1024];
  for (uint64_t at = 0; at < out.size(); at += std::size(words) / 2) {
    const uint64_t n = std::min<uint64_t>(std::size(words) / 2, out.size() - at);
    bits(stream, sample, 2 * (first_element + at), {words, 2 * n});
    for (uint64_t i = 0; i < n; ++i) {
      const uint64_t word = uint64_t{words[2 * i]} << 32 | words[2 * i + 1];
      out[at + i] = static_cast<double>((word >> 11) + 1) * 0x1p-53;
    }
  }
}

void normal(const Stream& stream, uint64_t sample, uint64_t first_element, std::span<float> out) {
  kernels::dispatch<NormalKernel>(stream_key(stream), sample, first_element, uint64_t{out.size()}, out.data());
}

}  // namespace perrin::random
