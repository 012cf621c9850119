/* Component extension: numbers of each training step that belong in the results beside the losses, such as a discriminator's
 * logits or a codebook's perplexity. */
#ifndef PERRIN_HOST_TRACE_H
#define PERRIN_HOST_TRACE_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_TRACE "perrin.trace/1"

typedef struct perrin_trace_value {
  perrin_text name; /* letters, digits, _: the column is "<term or kind>_<name>" */
  perrin_text unit; /* may be empty */
  perrin_text doc;
} perrin_trace_value;
PERRIN_STATIC_ASSERT(sizeof(perrin_trace_value) == 48, "perrin_trace_value");

typedef struct perrin_trace {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] What `values` gives, in order. Static. */
  perrin_status* (*names)(void* instance, uint32_t* n, const perrin_trace_value** names);
  /* [instance-serial] n numbers of the latest training call; NaN where it had none. */
  perrin_status* (*values)(void* instance, double* values);
} perrin_trace;
PERRIN_STATIC_ASSERT(sizeof(perrin_trace) == 24, "perrin_trace");

#ifdef __cplusplus
}
#endif
#endif
