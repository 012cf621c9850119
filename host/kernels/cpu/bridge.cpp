#include "host/kernels/bridge.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/cpu/random_body.hpp"

namespace perrin::kernels {
namespace {

using random::detail::kChunk;

constexpr int64_t kGrain = 1 << 12;  // elements of twenty halvings that are worth waking a thread for

struct Work {
  std::span<const Halving> halvings;
  std::span<const uint64_t> samples;
  const random::Key* keys;  // [halvings]
  int64_t row_size;
  float* W;
};

struct BridgeKernel {
  PERRIN_INLINE static void run(const Work* work, int64_t begin, int64_t end) {
    random::detail::for_row_chunks(
        work->row_size, begin, end,
        [&] [[gnu::always_inline]] (int64_t row, uint64_t block, int lanes, uint64_t offset, int64_t wanted, int64_t at) {
          alignas(64) float middle[kChunk];
          descend(*work, work->samples[static_cast<size_t>(row)], block, lanes, middle);
          std::copy_n(middle + offset, wanted, work->W + at);
        });
  }

  // All halvings of one chunk, in buffers that stay in the first-level cache.
  PERRIN_INLINE static void descend(const Work& work, uint64_t sample, uint64_t block, int lanes, float* middle) {
    alignas(64) float z[kChunk], left[kChunk] = {}, right[kChunk] = {};
    for (size_t i = 0; i < work.halvings.size(); ++i) {
      const Halving& h = work.halvings[i];
      random::detail::normal_lanes(work.keys[i], sample, block, lanes, z);
      const float a = h.of_right, b = h.of_left, s = h.deviation;
      for (int j = 0; j < 4 * lanes; ++j) middle[j] = std::fma(s, z[j], std::fma(b, left[j], a * right[j]));
      std::copy_n(middle, 4 * lanes, h.becomes_left ? left : right);
    }
  }
};

void check(std::span<const Halving> halvings, std::span<const uint64_t> samples, std::span<float> W) {
  if (halvings.empty() || samples.empty() || W.size() % samples.size() != 0)
    throw Error("bridge: " + std::to_string(W.size()) + " elements of " + std::to_string(samples.size()) +
                " samples by " + std::to_string(halvings.size()) + " halvings");
}

}  // namespace

void bridge(std::span<const Halving> halvings, std::span<const uint64_t> samples, std::span<float> W,
            const ParallelFor& parallel) {
  check(halvings, samples, W);
  std::vector<random::Key> keys;
  for (const Halving& h : halvings) keys.push_back(random::stream_key(h.stream));
  const Work work{halvings, samples, keys.data(), static_cast<int64_t>(W.size() / samples.size()), W.data()};
  parallel(static_cast<int64_t>(W.size()), kGrain,
           [&](int64_t begin, int64_t end) { dispatch<BridgeKernel>(&work, begin, end); });
}

void bridge_reference(std::span<const Halving> halvings, std::span<const uint64_t> samples, std::span<float> W) {
  check(halvings, samples, W);
  const size_t row_size = W.size() / samples.size();
  for (size_t j = 0; j < W.size(); ++j) {
    float left = 0, right = 0, middle = 0;
    for (const Halving& h : halvings) {
      const float z = random::normal_reference(h.stream, samples[j / row_size], j % row_size);
      middle = std::fma(h.deviation, z, std::fma(h.of_left, left, h.of_right * right));
      (h.becomes_left ? left : right) = middle;
    }
    W[j] = middle;
  }
}

}  // namespace perrin::kernels
