// y = sum_i a_i x_i + s z: what samplers are made of, one pass over memory.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"
#include "host/kernels/random.hpp"

namespace perrin::kernels {

template <class T>
struct Term {
  T coefficient = 0;
  const T* x = nullptr;  // y.size() elements; may be y itself, must not overlap it otherwise
};

// Standard normals for a batch: row r of y (elements_per_sample elements) gets sample samples[r] of the stream.
struct Noise {
  random::Stream stream;
  const uint64_t* samples = nullptr;  // (y.size() / elements_per_sample), borrowed
  int64_t elements_per_sample = 0;    // y.size() must be a multiple
  double scale = 0;                   // s
};

inline constexpr size_t kMaxTerms = 16;

// Bits: y = a_0 x_0, then y = fma(a_i, x_i, y) in order, then y = fma(s, z, y); with no term y = s z. In float64 z is
// the float32 normal, widened, so both precisions see the same noise. The result depends neither on threads nor on the
// instruction set. `noise` may be null. Throws perrin::Error for more than kMaxTerms terms, for nothing to add, or when
// y.size() is not a multiple of elements_per_sample.
void lincomb(std::span<const Term<float>> terms, const Noise* noise, std::span<float> y,
             const ParallelFor& parallel = serial);
void lincomb(std::span<const Term<double>> terms, const Noise* noise, std::span<double> y,
             const ParallelFor& parallel = serial);

// The plain reference, the same bits.
void lincomb_reference(std::span<const Term<float>> terms, const Noise* noise, std::span<float> y);
void lincomb_reference(std::span<const Term<double>> terms, const Noise* noise, std::span<double> y);

}  // namespace perrin::kernels
