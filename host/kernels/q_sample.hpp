// The forward process: x_t = alpha x_0 + sigma eps (2006.11239, eq. 4), with eps regenerated, never stored.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"
#include "host/kernels/random.hpp"

namespace perrin::kernels {

struct QSample {
  const float* x0 = nullptr;  // (rows, row_size)
  int64_t rows = 0;
  int64_t row_size = 0;
  random::Stream stream;
  const uint64_t* sample = nullptr;  // (rows): the sample index that names each row's noise
  const float* alpha = nullptr;      // (rows)
  const float* sigma = nullptr;      // (rows)
  float* x_t = nullptr;              // (rows, row_size); may be x0
  // Optional second output target = target_x0 x_0 + target_noise eps; all three or none.
  const float* target_x0 = nullptr;     // (rows)
  const float* target_noise = nullptr;  // (rows)
  float* target = nullptr;              // (rows, row_size)
};

// Bits: x_t = fma(sigma, eps, alpha x_0), target likewise; independent of threads and instruction set. Throws
// perrin::Error when only some of the three target pointers are given.
void q_sample(const QSample& q, const ParallelFor& parallel = serial);
void q_sample_reference(const QSample& q);

}  // namespace perrin::kernels
