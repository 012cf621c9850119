// Adafactor (1804.04235, algorithms 4 and 5 without first moment): the second moment of a matrix as one number per row
// and one per column.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

struct Adafactor {
  double lr = 1e-2;          // rho_t = min(lr, 1 / sqrt(t)), times the weights' RMS
  double decay_power = 0.8;  // beta2_t = 1 - t^-decay_power
  double eps1 = 1e-30;       // added to the squared gradient
  double eps2 = 1e-3;        // least RMS of the weights that the step is relative to
  double clip = 1;           // d: the update's RMS is at most this
  double weight_decay = 0;   // decoupled: the weight is first multiplied by 1 - lr weight_decay
  int64_t step = 1;          // t
  double grad_scale = 1;     // multiplies every gradient: clipping, 1 / accumulated batches
};

// One parameter; no overlap. A vector is a matrix of one column: C = mean(R), and V = R C / mean(R) = R is its whole
// second moment.
struct AdafactorBuffers {
  int64_t rows = 0, columns = 0;
  std::span<float> weight;          // [rows, columns]
  std::span<const float> gradient;  // [rows, columns]
  std::span<float> row;             // R [rows], means of the squared gradients
  std::span<float> column;          // C [columns]
};

// One update. Sums in double, in an order that depends on the shape alone, so the bits are those of the reference,
// whatever the threads and the instruction set. Throws perrin::Error on lengths that do not fit or step < 1.
void adafactor(const Adafactor& options, const AdafactorBuffers& buffers, const ParallelFor& parallel = serial);
void adafactor_reference(const Adafactor& options, const AdafactorBuffers& buffers);

}  // namespace perrin::kernels
