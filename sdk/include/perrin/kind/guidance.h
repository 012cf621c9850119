/* Kind: guidance. How conditional and unconditional predictions combine into the one that samplers see. */
#ifndef PERRIN_KIND_GUIDANCE_H
#define PERRIN_KIND_GUIDANCE_H

#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "../host/lincomb.h"

#define PERRIN_KIND_GUIDANCE "perrin.kind.guidance/1"

#define PERRIN_BRANCH_CONDITIONAL 1u
#define PERRIN_BRANCH_UNCONDITIONAL 2u /* the null condition */

typedef struct perrin_guidance {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Which predictions `combine` needs at this noise level: a mask of PERRIN_BRANCH_*, not 0. The host computes them
   * in one batch. */
  perrin_status* (*branches)(void* instance, const perrin_time* at, uint32_t* mask);
  /* [any] The guided D: a new reference. Each of conditional, unconditional is D of the branch, or NULL if not asked for. */
  perrin_status* (*combine)(void* instance, const perrin_time* at, perrin_tensor* conditional,
                            perrin_tensor* unconditional, perrin_tensor** guided);
} perrin_guidance;
PERRIN_STATIC_ASSERT(sizeof(perrin_guidance) == 24, "perrin_guidance");

#ifdef __cplusplus
}
#endif
#endif
