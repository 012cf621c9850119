/* Host service: LibTorch's operators by name, through the dispatcher, so that autograd and autocast apply. */
#ifndef PERRIN_HOST_OP_H
#define PERRIN_HOST_OP_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_OP "perrin.op/1"

typedef struct perrin_op perrin_op; /* lives as long as the process */

#define PERRIN_VALUE_NONE 0u
#define PERRIN_VALUE_TENSOR 1u   /* tensor */
#define PERRIN_VALUE_INTEGER 2u  /* integer; also dtype, layout and memory format numbers */
#define PERRIN_VALUE_NUMBER 3u   /* number; fits Scalar and float arguments */
#define PERRIN_VALUE_BOOLEAN 4u  /* integer, 0 or 1 */
#define PERRIN_VALUE_STRING 5u   /* text */
#define PERRIN_VALUE_INTEGERS 6u /* integers, n */
#define PERRIN_VALUE_NUMBERS 7u  /* numbers, n */
#define PERRIN_VALUE_TENSORS 8u  /* tensors, n */

typedef struct perrin_argument {
  perrin_text name; /* as in the operator's schema; empty: by position */
  uint32_t tag;     /* PERRIN_VALUE_* */
  uint32_t n;
  union {
    perrin_tensor* tensor;
    int64_t integer;
    double number;
    perrin_text text;
    const int64_t* integers;
    const double* numbers;
    perrin_tensor* const* tensors;
  } value;
} perrin_argument;
PERRIN_STATIC_ASSERT(sizeof(perrin_argument) == 40, "perrin_argument");

typedef struct perrin_host_op {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] "aten::add" and "Tensor" (the overload, often empty). PERRIN_UNSUPPORTED if LibTorch has no such operator.
   * Look it up once and keep it. */
  perrin_status* (*find)(perrin_text name, perrin_text overload, const perrin_op** op);
  /* [any] Positional arguments first, then named ones; what is left out takes the schema's default. All results must be
   * tensors; `n_results` must be their number. */
  perrin_status* (*call)(const perrin_op* op, uint32_t n_arguments, const perrin_argument* arguments,
                         uint32_t n_results, perrin_tensor** results);
} perrin_host_op;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_op) == 24, "perrin_host_op");

#ifdef __cplusplus
}
#endif
#endif
