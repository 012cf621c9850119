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
#define PERRIN_BRANCH_NEGATIVE 4u      /* the condition to keep away from; needs perrin.negative-condition/1 */
#define PERRIN_BRANCH_GUIDE 8u         /* the given condition, by another model; needs perrin.guide-model/1 */
#define PERRIN_BRANCH_CLASSIFIER 16u   /* the gradient of a classifier, by that model; needs perrin.guide-model/1 */

/* One call of the denoiser while sampling. A prediction is D of its branch, or NULL if not asked for. All are borrowed. */
typedef struct perrin_guidance_step {
  uint32_t struct_size;
  uint32_t first;   /* 1 at the first call of a trajectory: forget what was kept of the one before */
  perrin_time at;   /* the noise level of x */
  perrin_time next; /* the next level of the step list */
  perrin_time from; /* the level of the step list where this step began: `at`, or noisier where a sampler looks in between */
  perrin_tensor* x; /* [B, ...] x_t */
  perrin_tensor* conditional;
  perrin_tensor* unconditional;
  perrin_tensor* negative;
  perrin_tensor* guide;
  perrin_tensor* gradient; /* of PERRIN_BRANCH_CLASSIFIER: of log p(y | x_t) with respect to x, y each sample's class */
  double c_skip; /* what the network itself said of a branch is F = (D - c_skip x) / c_out, in its parameterization */
  double c_out;
} perrin_guidance_step;
PERRIN_STATIC_ASSERT(sizeof(perrin_guidance_step) == 144, "perrin_guidance_step");

typedef struct perrin_guidance {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Which predictions `combine` needs at this noise level: a mask of PERRIN_BRANCH_*, not 0. The host computes them
   * in one batch. */
  perrin_status* (*branches)(void* instance, const perrin_time* at, uint32_t* mask);
  /* [any] The guided D: a new reference. Each of conditional, unconditional is D of the branch, or NULL if not asked for. */
  perrin_status* (*combine)(void* instance, const perrin_time* at, perrin_tensor* conditional,
                            perrin_tensor* unconditional, perrin_tensor** guided);
  /* [instance-serial] Optional; the host prefers it to `combine`: the guided D, a new reference, from all branches and
   * where the step leads. May keep tensors between the calls of a trajectory. */
  perrin_status* (*guide)(void* instance, const perrin_guidance_step* step, perrin_tensor** guided);
} perrin_guidance;
PERRIN_STATIC_ASSERT(sizeof(perrin_guidance) == 32, "perrin_guidance");

/* Component extension: which model PERRIN_BRANCH_GUIDE or PERRIN_BRANCH_CLASSIFIER is. */
#define PERRIN_GUIDE_MODEL "perrin.guide-model/1"

typedef struct perrin_guide_model {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] A run's folder, or one of its checkpoint files; a relative path is found as perrin.artifact/1 finds it. Static. */
  perrin_status* (*checkpoint)(void* instance, perrin_text* path);
} perrin_guide_model;
PERRIN_STATIC_ASSERT(sizeof(perrin_guide_model) == 16, "perrin_guide_model");

/* Component extension: which condition PERRIN_BRANCH_NEGATIVE is. */
#define PERRIN_NEGATIVE_CONDITION "perrin.negative-condition/1"

typedef struct perrin_negative_condition {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The class, for a conditioner of classes. */
  perrin_status* (*label)(void* instance, int64_t* label);
} perrin_negative_condition;
PERRIN_STATIC_ASSERT(sizeof(perrin_negative_condition) == 16, "perrin_negative_condition");

#ifdef __cplusplus
}
#endif
#endif
