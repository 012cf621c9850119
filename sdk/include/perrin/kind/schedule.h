/* Kind: noise schedule. x_t = alpha(t) x_0 + sigma(t) eps. */
#ifndef PERRIN_KIND_SCHEDULE_H
#define PERRIN_KIND_SCHEDULE_H

#include "../host/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_SCHEDULE "perrin.kind.schedule/1"

/* One noise level, as every kind that needs one sees it. */
typedef struct perrin_time {
  double t;     /* the schedule's own time */
  double alpha; /* signal scale, >= 0 */
  double sigma; /* noise scale, >= 0 */
} perrin_time;
PERRIN_STATIC_ASSERT(sizeof(perrin_time) == 24, "perrin_time");

typedef struct perrin_time_domain {
  double t_min; /* the cleanest time of training: 0 for a discrete schedule */
  double t_max; /* the noisiest: T - 1 for a discrete schedule */
  uint64_t steps; /* T of a discrete schedule t = 0 .. T-1; 0: continuous */
} perrin_time_domain;
PERRIN_STATIC_ASSERT(sizeof(perrin_time_domain) == 24, "perrin_time_domain");

typedef struct perrin_schedule {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] */
  perrin_status* (*domain)(void* instance, perrin_time_domain* domain);
  /* [any] alpha and sigma at n times within the domain. A discrete schedule is asked for whole t only; the host
   * interpolates log SNR between them. alpha falls and sigma rises with t, finite. */
  perrin_status* (*marginal)(void* instance, uint64_t n, const double* t, double* alpha, double* sigma);
  /* [any] The inverse, for a continuous schedule: t with log(alpha^2 / sigma^2) = log_snr, clamped to the domain. NULL:
   * the host searches. */
  perrin_status* (*t_of_log_snr)(void* instance, uint64_t n, const double* log_snr, double* t);
  /* [instance-serial] Optional, once, before the first `marginal`: the shape in which diffusion runs, for schedules that
   * depend on the resolution. */
  perrin_status* (*infer)(void* instance, const perrin_spec* z);
} perrin_schedule;
PERRIN_STATIC_ASSERT(sizeof(perrin_schedule) == 40, "perrin_schedule");

#ifdef __cplusplus
}
#endif
#endif
