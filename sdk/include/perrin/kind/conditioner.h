/* Kind: conditioner. From a sample's fields to what the denoiser is told. */
#ifndef PERRIN_KIND_CONDITIONER_H
#define PERRIN_KIND_CONDITIONER_H

#include "dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "../host/params.h"

#define PERRIN_KIND_CONDITIONER "perrin.kind.conditioner/1"

/* Slots that a conditioner fills and a denoiser reads; NULL where unused. */
typedef struct perrin_conditioning {
  uint32_t struct_size;
  uint32_t reserved;
  perrin_tensor* vector;   /* [B, width] */
  perrin_tensor* sequence; /* [B, length, width] */
  perrin_tensor* concat;   /* [B, C, H, W], beside x's channels */
} perrin_conditioning;
PERRIN_STATIC_ASSERT(sizeof(perrin_conditioning) == 32, "perrin_conditioning");

typedef struct perrin_conditioning_spec {
  uint32_t struct_size;
  uint32_t slots;     /* bit 0 vector, bit 1 sequence, bit 2 concat */
  perrin_spec vector; /* [width] */
  perrin_spec sequence; /* [length, width] */
  perrin_spec concat; /* [C, H, W] */
} perrin_conditioning_spec;
PERRIN_STATIC_ASSERT(sizeof(perrin_conditioning_spec) == 272, "perrin_conditioning_spec");
#define PERRIN_SLOT_VECTOR 1u
#define PERRIN_SLOT_SEQUENCE 2u
#define PERRIN_SLOT_CONCAT 4u

/* Texts are fields of UTF-8 bytes: uint8 [length], zeros behind the end. Beside a text "caption" the batch of a prompt may
 * have "caption.weight", float32 of the same shape: how much each byte counts, 1 where nothing was asked for. */
#define PERRIN_WEIGHT_SUFFIX ".weight"

typedef struct perrin_conditioner {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] Once, after create: the dataset's fields in, the slots out. PERRIN_INVALID_CONFIG if a field is
   * missing or of the wrong shape. */
  perrin_status* (*infer)(void* instance, uint32_t n_fields, const perrin_field* fields, perrin_conditioning_spec* spec);
  /* [any] Probability that training replaces a sample's condition by the null condition. */
  perrin_status* (*drop_probability)(void* instance, double* p);
  /* [instance-serial] fields: [B, ...] by name, on the CPU. drop: [B], not 0 where the null condition stands; NULL: nowhere.
   * conditioning: new references, on any device: the host moves them to the run's. */
  perrin_status* (*encode)(void* instance, const perrin_call* call, uint32_t n_fields, const perrin_named_tensor* fields,
                           const uint8_t* drop, perrin_conditioning* conditioning);
} perrin_conditioner;
PERRIN_STATIC_ASSERT(sizeof(perrin_conditioner) == 32, "perrin_conditioner");

/* Component extension: a conditioner that looks at the dataset before it is first used, such as a tokenizer that learns its
 * vocabulary. What it has learnt is its perrin.state/1, which it must have too: a resumed run, sampling and a later stage
 * load that instead of fitting again. The fit changes neither what `infer` said nor what perrin.params/1 declares. */
#define PERRIN_CONDITIONER_FIT "perrin.conditioner-fit/1"

typedef struct perrin_conditioner_fit {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] How many samples it wants to see; all of a smaller dataset's. */
  perrin_status* (*samples)(void* instance, uint64_t* n);
  /* [instance-serial] After infer, before the first encode of a new run: samples 0, 1, 2, ... of the training data as `read`
   * gives them (not augmented), in that order and in batches of any size. fields: [B, ...] by name, on the CPU, borrowed. What
   * is learnt does not depend on where the batches are cut. */
  perrin_status* (*observe)(void* instance, uint32_t n_fields, const perrin_named_tensor* fields);
  /* [instance-serial] Once, behind the last `observe`. PERRIN_INVALID_DATA if nothing can be learnt from what it saw. */
  perrin_status* (*fit)(void* instance);
} perrin_conditioner_fit;
PERRIN_STATIC_ASSERT(sizeof(perrin_conditioner_fit) == 32, "perrin_conditioner_fit");

#ifdef __cplusplus
}
#endif
#endif
