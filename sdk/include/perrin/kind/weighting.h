/* Kind: weighting. How much the loss at a noise level counts. */
#ifndef PERRIN_KIND_WEIGHTING_H
#define PERRIN_KIND_WEIGHTING_H

#include "../host/params.h"
#include "parameterization.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_WEIGHTING "perrin.kind.weighting/1"

typedef struct perrin_weighting {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Weights >= 0 of the loss on F's target at n noise levels. A weighting that a paper defines on ||D - x_0||^2
   * multiplies by c_out^2, since ||D - x_0||^2 = c_out^2 ||F - target||^2. */
  perrin_status* (*weight)(void* instance, uint64_t n, const perrin_time* times, const perrin_coefficients* coefficients,
                           double* weight);
  /* [any] Optional; the host prefers it to `weight` in training, for weights that change: at step 1 .. n_steps of the
   * stage. */
  perrin_status* (*weight_at_step)(void* instance, int64_t step, int64_t n_steps, uint64_t n, const perrin_time* times,
                                   const perrin_coefficients* coefficients, double* weight);
  /* [instance-serial] Optional, with perrin.params/1: values [B], the weighted first loss with a graph, and c_noise [B]:
   * ln(sigma / alpha) / 4 (2206.00364 Table 1), whatever the parameterization, in; what is trained on [B] out, a new
   * reference with a graph that reaches the parameters. */
  perrin_status* (*learnt)(void* instance, const perrin_call* call, perrin_tensor* c_noise, perrin_tensor* values,
                           perrin_tensor** trained);
} perrin_weighting;
PERRIN_STATIC_ASSERT(sizeof(perrin_weighting) == 32, "perrin_weighting");

#ifdef __cplusplus
}
#endif
#endif
