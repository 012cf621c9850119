// AdamW (1711.05101, algorithm 2), Adam (1412.6980, algorithm 1) and the exponential moving average of the weights in one
// pass over flat buffers.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

struct AdamW {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  // decoupled: the weight is first multiplied by 1 - lr weight_decay
  double l2 = 0;            // coupled, Adam's: l2 weight is added to the gradient
  int64_t step = 1;         // 1 for the first update (bias correction)
  double grad_scale = 1;    // multiplies every gradient: clipping, 1 / accumulated batches
  double ema_decay = 0;     // ema = ema_decay ema + (1 - ema_decay) weight
};

// Views of equal length; no overlap. `ema` may be empty: then no average is kept. `gradient` is not changed.
struct AdamWBuffers {
  std::span<float> weight;
  std::span<const float> gradient;
  std::span<float> first_moment;
  std::span<float> second_moment;
  std::span<float> ema;
};

// One update. 36 bytes move per parameter with EMA, 28 without. The constants are computed in double and rounded once;
// the bits are those of adamw_ema_reference, whatever the threads and the instruction set. Throws perrin::Error on
// lengths that differ or step < 1.
void adamw_ema(const AdamW& options, const AdamWBuffers& buffers, const ParallelFor& parallel = serial);
void adamw_ema_reference(const AdamW& options, const AdamWBuffers& buffers);

// sqrt(sum x^2): squares and sums in double, blocks of 4096 elements in 16 fixed lanes, blocks added pairwise; so the
// bits depend on x alone. NaN or infinity anywhere makes it NaN or infinite.
double norm2(std::span<const float> x, const ParallelFor& parallel = serial);
double norm2_reference(std::span<const float> x);

}  // namespace perrin::kernels
