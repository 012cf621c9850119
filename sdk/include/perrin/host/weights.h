/* Host service: tensors of safetensors files, for a component whose configuration names one. */
#ifndef PERRIN_HOST_WEIGHTS_H
#define PERRIN_HOST_WEIGHTS_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_WEIGHTS "perrin.weights/1"

typedef struct perrin_weights perrin_weights; /* an open file, wholly in memory */

typedef struct perrin_host_weights {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] `file` is found as perrin.artifact/1 finds it. PERRIN_IO if there is none, PERRIN_INVALID_DATA, with the file and
   * what is wrong, if it is not safetensors or damaged. */
  perrin_status* (*open)(perrin_text file, perrin_weights** weights);
  void (*close)(perrin_weights* weights); /* [any] NULL is allowed. */
  /* [any] Names of its tensors, sorted; they live as long as the file is open. */
  perrin_status* (*names)(perrin_weights* weights, uint64_t* n, const perrin_text** names);
  /* [any] A value of the file's metadata, empty if it has none of that key; lives as long as the file is open. */
  perrin_status* (*metadata)(perrin_weights* weights, perrin_text key, perrin_text* value);
  /* [any] A copy of one tensor on the CPU in the file's dtype, a new reference. PERRIN_INVALID_DATA, with the file and the
   * nearest names, if it has none of that name. */
  perrin_status* (*get)(perrin_weights* weights, perrin_text name, perrin_tensor** tensor);
} perrin_host_weights;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_weights) == 48, "perrin_host_weights");

#ifdef __cplusplus
}
#endif
#endif
