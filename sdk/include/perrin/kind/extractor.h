/* Kind: extractor. A network whose layers say something about images: classes, a perceptual distance, an embedding. */
#ifndef PERRIN_KIND_EXTRACTOR_H
#define PERRIN_KIND_EXTRACTOR_H

#include "../host/params.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_EXTRACTOR "perrin.kind.extractor/1"

typedef struct perrin_extractor {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] After create: the layers that it can give, the first ones first: "relu1_1", ..., "features", "logits". Static for
   * the instance's life. */
  perrin_status* (*layers)(void* instance, uint32_t* n, const perrin_text** names);
  /* [instance-serial] Once, after create and before perrin.params/1 declares: x's shape [C, H, W] and the number of the
   * dataset's classes (0: none) in, the shape of each layer out. PERRIN_INVALID_CONFIG, with both shapes, if x does not fit. */
  perrin_status* (*infer)(void* instance, const perrin_spec* x, uint64_t n_classes, perrin_spec* layers);
  /* [instance-serial] x: [B, C, H, W] in [-1, 1] -> outputs[i], layer number wanted[i] (ascending) [B, ...]; new references
   * with graphs. What only later layers need is not computed. */
  perrin_status* (*forward)(void* instance, const perrin_call* call, perrin_tensor* x, uint32_t n, const uint32_t* wanted,
                            perrin_tensor** outputs);
} perrin_extractor;
PERRIN_STATIC_ASSERT(sizeof(perrin_extractor) == 32, "perrin_extractor");

#ifdef __cplusplus
}
#endif
#endif
