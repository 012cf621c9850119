/* Kind: weighting. How much the loss at a noise level counts. */
#ifndef PERRIN_KIND_WEIGHTING_H
#define PERRIN_KIND_WEIGHTING_H

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
} perrin_weighting;
PERRIN_STATIC_ASSERT(sizeof(perrin_weighting) == 16, "perrin_weighting");

#ifdef __cplusplus
}
#endif
#endif
