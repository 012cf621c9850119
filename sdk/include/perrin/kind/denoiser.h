/* Kind: denoiser. The network F(c_in x_t, c_noise, conditioning). */
#ifndef PERRIN_KIND_DENOISER_H
#define PERRIN_KIND_DENOISER_H

#include "conditioner.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_DENOISER "perrin.kind.denoiser/1"

typedef struct perrin_denoiser {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] Once, after create and before perrin.params/1 declares: x's shape [C, H, W] or [D] in, F's out.
   * conditioning NULL: unconditional. PERRIN_INVALID_CONFIG, with both shapes, if they do not fit. */
  perrin_status* (*infer)(void* instance, const perrin_spec* x, const perrin_conditioning_spec* conditioning,
                          perrin_spec* prediction);
  /* [instance-serial] x: [B, C, H, W] float32 (channels-last), bfloat16 or float64. c_noise: [B] float32 or float64.
   * prediction: [B, ...] as inferred, a new reference with a graph. */
  perrin_status* (*forward)(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor* c_noise,
                            const perrin_conditioning* conditioning, perrin_tensor** prediction);
} perrin_denoiser;
PERRIN_STATIC_ASSERT(sizeof(perrin_denoiser) == 24, "perrin_denoiser");

#ifdef __cplusplus
}
#endif
#endif
