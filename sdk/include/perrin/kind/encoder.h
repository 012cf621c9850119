/* Kind: encoder. The first stage: from pixels to the space where diffusion runs, and back. */
#ifndef PERRIN_KIND_ENCODER_H
#define PERRIN_KIND_ENCODER_H

#include "../host/params.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_ENCODER "perrin.kind.encoder/1"

typedef struct perrin_encoder {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] Once, after create: x's shape in, z's out. */
  perrin_status* (*infer)(void* instance, const perrin_spec* x, perrin_spec* z);
  /* [instance-serial] x: [B, ...] in [-1, 1] -> z: [B, ...]. A new reference; `x` itself, retained, is allowed. */
  perrin_status* (*encode)(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor** z);
  /* [instance-serial] z: [B, ...] -> x: [B, ...]. */
  perrin_status* (*decode)(void* instance, const perrin_call* call, perrin_tensor* z, perrin_tensor** x);
} perrin_encoder;
PERRIN_STATIC_ASSERT(sizeof(perrin_encoder) == 32, "perrin_encoder");

#ifdef __cplusplus
}
#endif
#endif
