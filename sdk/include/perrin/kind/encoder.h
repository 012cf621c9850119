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
  /* [instance-serial] x: [B, ...] in [-1, 1] -> z: [B, ...], as inferred. A new reference; `x` itself, retained, is allowed.
   * Diffusion runs in the host's multiple of z: [encoder] scale_factor. */
  perrin_status* (*encode)(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor** z);
  /* [instance-serial] z: [B, ...] -> x: [B, ...]. */
  perrin_status* (*decode)(void* instance, const perrin_call* call, perrin_tensor* z, perrin_tensor** x);
} perrin_encoder;
PERRIN_STATIC_ASSERT(sizeof(perrin_encoder) == 32, "perrin_encoder");

/* Component extension: what training a first stage needs beside encode and decode. Without it the stage that trains the
 * encoder calls `encode` and `decode` with call->training = 1. */
#define PERRIN_ENCODER_TRAINING "perrin.encoder-training/1"

#define PERRIN_OUTPUT_INPUT 0u /* an input of the losses that name it (perrin.loss-inputs/1) */
#define PERRIN_OUTPUT_TERM 1u  /* [B], a term of the encoder's own: the host adds its mean to the stage's total */

typedef struct perrin_encoder_output {
  perrin_text name; /* an input: "posterior_mean", "posterior_log_variance" (of a diagonal Gaussian), "codes", ... */
  uint32_t role;    /* PERRIN_OUTPUT_INPUT or PERRIN_OUTPUT_TERM */
  uint32_t reserved;
} perrin_encoder_output;
PERRIN_STATIC_ASSERT(sizeof(perrin_encoder_output) == 24, "perrin_encoder_output");

typedef struct perrin_encoder_training {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] What `encode` gives beside z. Static for the instance's life. */
  perrin_status* (*outputs)(void* instance, uint32_t* n, const perrin_encoder_output** outputs);
  /* [instance-serial] x: [B, ...] -> z: [B, ...] with a graph, drawn from the posterior where there is one (purpose
   * PERRIN_PURPOSE_ENCODER), and the outputs in order, with graphs; new references. */
  perrin_status* (*encode)(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor** z,
                           perrin_tensor** outputs);
  /* [any] After perrin.params/1 declares: the name of the weight of the decoder's last layer, which losses ask for as
   * "last_layer". Empty: none. Static. */
  perrin_status* (*last_layer)(void* instance, perrin_text* name);
} perrin_encoder_training;
PERRIN_STATIC_ASSERT(sizeof(perrin_encoder_training) == 32, "perrin_encoder_training");

#ifdef __cplusplus
}
#endif
#endif
