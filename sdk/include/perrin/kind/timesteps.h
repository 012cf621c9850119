/* Kind: timesteps. Which noise levels training sees. */
#ifndef PERRIN_KIND_TIMESTEPS_H
#define PERRIN_KIND_TIMESTEPS_H

#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "../host/rng.h"

#define PERRIN_KIND_TIMESTEPS "perrin.kind.timesteps/1"

typedef struct perrin_timesteps {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] A time within `domain` (whole if it is discrete) for each of n samples, and its importance weight p(t)/q(t).
   * A function of the sample's position alone, so that no batch size changes it. `stream` has the purpose set. */
  perrin_status* (*draw)(void* instance, const perrin_time_domain* domain, perrin_stream stream, uint64_t n,
                         const uint64_t* samples, double* t, double* importance);
} perrin_timesteps;
PERRIN_STATIC_ASSERT(sizeof(perrin_timesteps) == 16, "perrin_timesteps");

#ifdef __cplusplus
}
#endif
#endif
