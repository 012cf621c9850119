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
  /* [any] Optional; the host prefers it to `draw`, for laws of the noise level itself: log(alpha^2 / sigma^2) between the
   * levels at the ends of training, clamped by the host to the schedule's range. */
  perrin_status* (*draw_log_snr)(void* instance, const perrin_time* cleanest, const perrin_time* noisiest,
                                 perrin_stream stream, uint64_t n, const uint64_t* samples, double* log_snr,
                                 double* importance);
  /* [instance-serial] Optional: after each batch, the times drawn and the unweighted first loss of each sample, for laws
   * that follow the loss. What it keeps of them is saved by perrin.state/1. */
  perrin_status* (*observe)(void* instance, const perrin_time_domain* domain, uint64_t n, const double* t,
                            const double* losses);
} perrin_timesteps;
PERRIN_STATIC_ASSERT(sizeof(perrin_timesteps) == 32, "perrin_timesteps");

#ifdef __cplusplus
}
#endif
#endif
