/* Component extension: a conditioner that cuts long texts. */
#ifndef PERRIN_KIND_TEXT_LENGTHS_H
#define PERRIN_KIND_TEXT_LENGTHS_H

#include "conditioner.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_TEXT_LENGTHS "perrin.text-lengths/1"

typedef struct perrin_text_lengths {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] How many tokens of a text are kept, marks included. */
  perrin_status* (*limit)(void* instance, uint64_t* tokens);
  /* [instance-serial] After infer, and after a fit where there is one: how many tokens each sample's text has before it is
   * cut, marks included. fields: as encode's; those that are no text may be missing. tokens: [B]. */
  perrin_status* (*count)(void* instance, uint32_t n_fields, const perrin_named_tensor* fields, uint64_t* tokens);
} perrin_text_lengths;
PERRIN_STATIC_ASSERT(sizeof(perrin_text_lengths) == 24, "perrin_text_lengths");

#ifdef __cplusplus
}
#endif
#endif
