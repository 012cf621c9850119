/* Host service: y = sum_i a_i x_i + s * noise in one fused pass; what samplers and guidance are made of. */
#ifndef PERRIN_HOST_LINCOMB_H
#define PERRIN_HOST_LINCOMB_H

#include "rng.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_LINCOMB "perrin.lincomb/1"

typedef struct perrin_host_lincomb {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] x: n tensors of one shape [B, ...] and dtype (float32 or float64), 1 <= n <= 16. y: a new tensor like x[0].
   * s == 0: no noise, and `stream` and `samples` are ignored. Else sample b gets N(0, 1) number i of samples[b] of
   * `stream` at its element i, counted in contiguous order. Coefficients are float64 and rounded once. */
  perrin_status* (*lincomb)(uint32_t n, const double* a, perrin_tensor* const* x, double s, perrin_stream stream,
                            const uint64_t* samples, perrin_tensor** y);
} perrin_host_lincomb;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_lincomb) == 16, "perrin_host_lincomb");

#ifdef __cplusplus
}
#endif
#endif
