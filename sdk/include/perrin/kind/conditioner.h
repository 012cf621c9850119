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

#ifdef __cplusplus
}
#endif
#endif
