// The flat kernels on tensors. Tensors on the CPU go to the kernel, with its bits; those of any other device take the
// `_portable` form: the same formula in ATen operators, with the same noise, made on the CPU and copied. Results of the
// two differ by float32 rounding.
#pragma once

#include <ATen/core/TensorBody.h>

#include <cstdint>
#include <span>
#include <vector>

#include "host/kernels/adafactor.hpp"
#include "host/kernels/adamw.hpp"
#include "host/kernels/momentum.hpp"
#include "host/kernels/random.hpp"

namespace perrin::kernels {

// Which normals a batch gets: row b those of sample samples[b].
struct BatchNoise {
  random::Stream stream;
  std::span<const uint64_t> samples;  // [B]
};

// sum_i a_i x_i + s z. x: 1 to kMaxTerms tensors [B, ...] of one shape, dtype (float32 or float64) and device; z is
// numbered in contiguous order. Without noise, tensors of one dense layout keep it; else the result is contiguous.
at::Tensor lincomb(std::span<const at::Tensor> x, std::span<const double> a, double s = 0, const BatchNoise& noise = {});
at::Tensor lincomb_portable(std::span<const at::Tensor> x, std::span<const double> a, double s, const BatchNoise& noise);

// Per-row numbers of the forward process (q_sample.hpp): [B] each.
struct RowCoefficients {
  std::vector<float> alpha, sigma, target_x0, target_noise;
};
struct Noised {
  at::Tensor x_t, target;  // [B, ...] contiguous, on x0's device
};
// x0: [B, ...] float32.
Noised q_sample(const at::Tensor& x0, const RowCoefficients& rows, const BatchNoise& noise);
Noised q_sample_portable(const at::Tensor& x0, const RowCoefficients& rows, const BatchNoise& noise);

// Flat float32 tensors of one length; `ema` may be undefined.
struct AdamWTensors {
  at::Tensor weight, gradient, first_moment, second_moment, ema;
};
void adamw_ema(const AdamW& options, const AdamWTensors& tensors);
void adamw_ema_portable(const AdamW& options, const AdamWTensors& tensors);

// Flat float32 tensors of one length; `ema`, and the moment of SGD without momentum, may be undefined.
struct MomentumTensors {
  at::Tensor weight, gradient, moment, ema;
};
void sgd_ema(const Sgd& options, const MomentumTensors& tensors);
void sgd_ema_portable(const Sgd& options, const MomentumTensors& tensors);
void lion_ema(const Lion& options, const MomentumTensors& tensors);
void lion_ema_portable(const Lion& options, const MomentumTensors& tensors);

// average = decay average + (1 - decay) weight, flat.
void ema(double decay, const at::Tensor& weight, const at::Tensor& average);

// weight and gradient flat [rows * columns], row [rows], column [columns].
struct AdafactorTensors {
  at::Tensor weight, gradient, row, column;
};
void adafactor(const Adafactor& options, const AdafactorTensors& tensors);
void adafactor_portable(const Adafactor& options, const AdafactorTensors& tensors);

// sqrt(sum x^2) of a flat float32 tensor; summed in double.
double norm2(const at::Tensor& x);
double norm2_portable(const at::Tensor& x);

}  // namespace perrin::kernels
