/* Host service: tensors as opaque reference-counted handles; raw memory enters and leaves by DLPack. */
#ifndef PERRIN_HOST_TENSOR_H
#define PERRIN_HOST_TENSOR_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_TENSOR "perrin.tensor/1"

typedef struct perrin_tensor perrin_tensor;

/* dtypes */
#define PERRIN_UINT8 0u
#define PERRIN_INT32 3u
#define PERRIN_INT64 4u
#define PERRIN_FLOAT16 5u
#define PERRIN_FLOAT32 6u
#define PERRIN_FLOAT64 7u
#define PERRIN_BOOL 11u
#define PERRIN_BFLOAT16 15u

#define PERRIN_MAX_RANK 8u

/* Shape and dtype of one sample, without the batch dimension; how components tell each other shapes before anything is
 * allocated. */
typedef struct perrin_spec {
  perrin_text name;
  uint32_t dtype;
  uint32_t rank;
  int64_t sizes[8];
} perrin_spec;
PERRIN_STATIC_ASSERT(sizeof(perrin_spec) == 88, "perrin_spec");

typedef struct perrin_named_tensor {
  perrin_text name;
  perrin_tensor* tensor;
} perrin_named_tensor;
PERRIN_STATIC_ASSERT(sizeof(perrin_named_tensor) == 24, "perrin_named_tensor");

struct DLManagedTensorVersioned; /* dlpack.h 1.x; the SDK does not ship it */

typedef struct perrin_host_tensor {
  uint32_t struct_size;
  uint32_t reserved;
  void (*retain)(perrin_tensor* tensor);  /* [any] */
  void (*release)(perrin_tensor* tensor); /* [any] NULL is allowed */
  uint32_t (*dtype)(const perrin_tensor* tensor); /* [any] PERRIN_UINT8 .. */
  uint32_t (*rank)(const perrin_tensor* tensor);  /* [any] */
  int64_t (*size)(const perrin_tensor* tensor, uint32_t dimension); /* [any] */
  int64_t (*stride)(const perrin_tensor* tensor, uint32_t dimension); /* [any] in elements */
  /* [any] First element of a CPU tensor; NULL for one on another device. Layout as size and stride say. */
  void* (*data)(perrin_tensor* tensor);
  /* [any] An uninitialised contiguous tensor on the run's device. */
  perrin_status* (*create)(uint32_t dtype, uint32_t rank, const int64_t* sizes, perrin_tensor** tensor);
  /* [any] The caller calls the DLPack deleter; the tensor stays alive until then. Tensors that need gradients are refused. */
  perrin_status* (*to_dlpack)(perrin_tensor* tensor, struct DLManagedTensorVersioned** managed);
  /* [any] Takes ownership of `managed` when it succeeds. */
  perrin_status* (*from_dlpack)(struct DLManagedTensorVersioned* managed, perrin_tensor** tensor);
} perrin_host_tensor;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_tensor) == 88, "perrin_host_tensor");

#ifdef __cplusplus
}
#endif
#endif
