// Optimizers with one moment, with the exponential moving average of the weights in the same pass over flat buffers.
#pragma once

#include <cstdint>
#include <span>

#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

// b = momentum b + g; the weight moves by -lr b, with Nesterov's look-ahead by -lr (g + momentum b) (Sutskever et al.
// 2013 in the form of torch.optim.SGD, without dampening).
struct Sgd {
  double lr = 1e-3;
  double momentum = 0;
  double l2 = 0;  // coupled: l2 weight is added to the gradient
  bool nesterov = false;
  double grad_scale = 1;  // multiplies every gradient: clipping, 1 / accumulated batches
  double ema_decay = 0;   // ema = ema_decay ema + (1 - ema_decay) weight
};

// 2302.06675, algorithm 2: the weight moves by -lr sign(beta1 m + (1 - beta1) g); then m = beta2 m + (1 - beta2) g.
struct Lion {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;  // decoupled: the weight is first multiplied by 1 - lr weight_decay
  double grad_scale = 1;
  double ema_decay = 0;
};

// Views of equal length; no overlap. `ema` may be empty: then no average is kept. `moment` of sgd_ema may be empty:
// then momentum is 0. `gradient` is not changed.
struct MomentumBuffers {
  std::span<float> weight;
  std::span<const float> gradient;
  std::span<float> moment;
  std::span<float> ema;
};

// One update. The constants are computed in double and rounded once; the bits are those of the references, whatever
// the threads and the instruction set. Throw perrin::Error on lengths that differ.
void sgd_ema(const Sgd& options, const MomentumBuffers& buffers, const ParallelFor& parallel = serial);
void sgd_ema_reference(const Sgd& options, const MomentumBuffers& buffers);
void lion_ema(const Lion& options, const MomentumBuffers& buffers, const ParallelFor& parallel = serial);
void lion_ema_reference(const Lion& options, const MomentumBuffers& buffers);

// ema = decay ema + (1 - decay) weight alone, with the bits that a fused pass gives it.
void ema(double decay, std::span<const float> weight, std::span<float> average, const ParallelFor& parallel = serial);
void ema_reference(double decay, std::span<const float> weight, std::span<float> average);

}  // namespace perrin::kernels
