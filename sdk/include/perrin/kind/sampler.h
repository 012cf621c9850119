/* Kind: sampler. From x_T to x_0, through the denoised prediction D and linear combinations only. */
#ifndef PERRIN_KIND_SAMPLER_H
#define PERRIN_KIND_SAMPLER_H

#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "../host/tensor.h"

#define PERRIN_KIND_SAMPLER "perrin.kind.sampler/1"

/* What a sampler sees of a run: the step list, D, linear combinations and the noise source. The same sampler serves every
 * schedule and parameterization. */
typedef struct perrin_sampling {
  uint32_t struct_size;
  uint32_t n_steps;
  /* n_steps + 1 noise levels, the noise falling; x is at times[0] and has to end at times[n_steps] (usually sigma = 0). */
  const perrin_time* times;
  void* context; /* the host's, first argument of each function below */
  /* [instance-serial] D(x) at a noise level: a new reference. `guided` is done already. PERRIN_CANCELLED once the user
   * asked to stop. */
  perrin_status* (*denoise)(void* context, perrin_tensor* x, const perrin_time* at, perrin_tensor** denoised);
  /* [instance-serial] y = sum a_i x_i + s * noise number `draw`, 1 <= n <= 16: a new reference. s == 0
   * draws nothing. A sampler numbers its
   * draws itself; equal numbers are equal noise. */
  perrin_status* (*lincomb)(void* context, uint32_t n, const double* a, perrin_tensor* const* x, double s, uint32_t draw,
                            perrin_tensor** y);
  /* [instance-serial] The schedule's noise level at log(alpha^2 / sigma^2) = log_snr, for steps in between. */
  perrin_status* (*time_at)(void* context, double log_snr, perrin_time* at);
  /* [instance-serial] For solvers of stochastic differential equations: the increment of one Brownian motion between two
   * noise levels, divided by its deviation, so N(0, 1) per element; a new reference shaped like x. A function of the two
   * levels and the sample alone: every step list sees the same path, and increments over disjoint intervals are
   * independent. `from` and `to` must differ in log SNR. */
  perrin_status* (*brownian)(void* context, const perrin_time* from, const perrin_time* to, perrin_tensor** noise);
  /* [instance-serial] How far two solutions of a step lie apart, for step size control: the largest over the samples of
   * the root mean square of (x - y) / max(absolute, relative max(|x|, |previous|)). */
  perrin_status* (*distance)(void* context, perrin_tensor* x, perrin_tensor* y, perrin_tensor* previous, double absolute,
                             double relative, double* value);
  /* [instance-serial] What the network said of the step's variance in the latest `denoise`: v in [-1, 1], shaped like x,
   * a new reference, from fixed-small (-1) to fixed-large (1) in the logarithm (2102.09672 Eq. 15). PERRIN_UNSUPPORTED
   * if the denoiser predicts none. */
  perrin_status* (*variance)(void* context, perrin_tensor** v);
} perrin_sampling;
PERRIN_STATIC_ASSERT(sizeof(perrin_sampling) == 72, "perrin_sampling");

/* perrin_sampler.flags */
#define PERRIN_SAMPLER_ADAPTIVE 1u /* chooses step sizes from x: the host gives one sample a call, so that none sees others */
#define PERRIN_SAMPLER_INVERTS 2u  /* from x_0 to x_T: the levels come with the noise rising, x is data */

typedef struct perrin_sampler {
  uint32_t struct_size;
  uint32_t flags; /* PERRIN_SAMPLER_* */
  /* [instance-serial] x: [B, ...] at times[0], borrowed. result: a new reference, same shape. */
  perrin_status* (*sample)(void* instance, const perrin_sampling* sampling, perrin_tensor* x, perrin_tensor** result);
} perrin_sampler;
PERRIN_STATIC_ASSERT(sizeof(perrin_sampler) == 16, "perrin_sampler");

#ifdef __cplusplus
}
#endif
#endif
