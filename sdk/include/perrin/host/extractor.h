/* Host service: trained extractors (kind/extractor.h) for losses and metrics.
 *
 * An extractor's weights are a safetensors file. Its tensors have the names that the extractor declares (perrin.params/1,
 * all but scratch; others are ignored), of any real dtype. Perrin's own files say in their metadata what they are:
 *   "perrin.extractor"          the extractor's id: "resnet-small"
 *   "perrin.extractor.config"   its keys as a JSON object: {"channels": [32, 64, 96]}; absent ones have their defaults
 *   "perrin.extractor.input"    the images that it was trained on: [1, 28, 28]; others may differ in size, not in channels
 *   "perrin.extractor.classes"  number of classes of the data: 10; 0: none
 * A file without them (torchvision's) holds weights of the extractor that `open` names, in its default configuration. An
 * extractor that has a key "file" (torchscript) is given the file there and reads it itself; metadata never name one, and set
 * numbers and choices only, no free text: what a file of weights says leads to no other file. */
#ifndef PERRIN_HOST_EXTRACTOR_H
#define PERRIN_HOST_EXTRACTOR_H

#include "params.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_EXTRACTOR "perrin.extractor/1"

typedef struct perrin_open_extractor perrin_open_extractor; /* frozen: its parameters have no gradient */

typedef struct perrin_host_extractor {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The extractor `use` with its default configuration and the weights of a safetensors file, found as
   * perrin.artifact/1 finds it; a file that `perrin` wrote says in its metadata which extractor it is and how configured,
   * and `use` may be empty. x: the images' shape. PERRIN_IO, PERRIN_INVALID_CONFIG or PERRIN_INVALID_DATA with the file and
   * what does not fit. */
  perrin_status* (*open)(perrin_text use, perrin_text weights, const perrin_spec* x, perrin_open_extractor** extractor);
  void (*close)(perrin_open_extractor* extractor); /* [any] NULL is allowed. */
  /* [any] Its layers and their shapes; they live as long as it is open. */
  perrin_status* (*layers)(perrin_open_extractor* extractor, uint32_t* n, const perrin_text** names,
                           const perrin_spec** specs);
  /* [instance-serial] As perrin_extractor's, with a graph to x; x, float32 or float64, of the shape that it was opened for. */
  perrin_status* (*forward)(perrin_open_extractor* extractor, const perrin_call* call, perrin_tensor* x, uint32_t n,
                            const uint32_t* wanted, perrin_tensor** outputs);
} perrin_host_extractor;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_extractor) == 40, "perrin_host_extractor");

#ifdef __cplusplus
}
#endif
#endif
