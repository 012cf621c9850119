// Brownian bridges in a row, one pass over memory: what halving an interval again and again comes to at one point.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"
#include "host/kernels/random.hpp"

namespace perrin::kernels {

// W(middle) = of_right W(right) + of_left W(left) + deviation z; then the middle is the next one's left or right.
struct Halving {
  random::Stream stream;  // of z
  float of_right = 0, of_left = 0, deviation = 0;
  bool becomes_left = false;
};

// W at the last middle. W is 0 at both ends of the first halving; row r of W, of W.size() / samples.size() elements, has
// the normals of sample samples[r]. Bits: middle = of_right right, then fma(of_left, left, middle), then
// fma(deviation, z, middle); they depend neither on threads nor on the instruction set. Throws perrin::Error where
// W.size() is not samples.size() rows.
void bridge(std::span<const Halving> halvings, std::span<const uint64_t> samples, std::span<float> W,
            const ParallelFor& parallel = serial);

// The plain reference, the same bits.
void bridge_reference(std::span<const Halving> halvings, std::span<const uint64_t> samples, std::span<float> W);

}  // namespace perrin::kernels
