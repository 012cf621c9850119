/* Kind: loss. Named tensors in, one value per sample out. */
#ifndef PERRIN_KIND_LOSS_H
#define PERRIN_KIND_LOSS_H

#include "../host/params.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_LOSS "perrin.kind.loss/1"

typedef struct perrin_loss {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] inputs: "prediction" [B, ...] with a graph, "target" [B, ...]. values: [B] float32 or float64, one
   * per sample (its mean over elements), a new reference with a graph; the host multiplies by weighting, importance and
   * the term's weight, and averages over B. A plugin without LibTorch computes through host/op.h. */
  perrin_status* (*compute)(void* instance, const perrin_call* call, uint32_t n_inputs,
                            const perrin_named_tensor* inputs, perrin_tensor** values);
} perrin_loss;
PERRIN_STATIC_ASSERT(sizeof(perrin_loss) == 16, "perrin_loss");

#ifdef __cplusplus
}
#endif
#endif
