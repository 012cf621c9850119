/* Kind: parameterization. What the network F predicts, and how the denoised D follows from it. */
#ifndef PERRIN_KIND_PARAMETERIZATION_H
#define PERRIN_KIND_PARAMETERIZATION_H

#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_PARAMETERIZATION "perrin.kind.parameterization/1"

/* D(x_t) = c_skip x_t + c_out F(c_in x_t, c_noise); F is trained towards target_x0 x_0 + target_noise eps. */
typedef struct perrin_coefficients {
  double c_in;
  double c_noise;
  double c_skip;
  double c_out;
  double target_x0;
  double target_noise;
} perrin_coefficients;
PERRIN_STATIC_ASSERT(sizeof(perrin_coefficients) == 48, "perrin_coefficients");

typedef struct perrin_parameterization {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] At n noise levels. PERRIN_UNSUPPORTED, with the reason, at a level where D is not defined (epsilon at alpha = 0);
   * `perrin check` asks at both ends of the schedule. */
  perrin_status* (*coefficients)(void* instance, uint64_t n, const perrin_time* times,
                                 perrin_coefficients* coefficients);
} perrin_parameterization;
PERRIN_STATIC_ASSERT(sizeof(perrin_parameterization) == 16, "perrin_parameterization");

#ifdef __cplusplus
}
#endif
#endif
