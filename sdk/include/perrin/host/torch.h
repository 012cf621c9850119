/* Host service of tier B: a perrin_tensor is an at::Tensor. Given only to a plugin whose fingerprint matches. */
#ifndef PERRIN_HOST_TORCH_H
#define PERRIN_HOST_TORCH_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_TORCH "perrin.torch-native/1"

typedef struct perrin_host_torch {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] `at_tensor` is a const at::Tensor*. The result is a new reference. Never NULL. */
  perrin_tensor* (*wrap)(const void* at_tensor);
  /* [any] The at::Tensor* inside the handle; it lives as long as the handle. */
  void* (*unwrap)(perrin_tensor* tensor);
} perrin_host_torch;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_torch) == 24, "perrin_host_torch");

#ifdef __cplusplus
}
#endif
#endif
