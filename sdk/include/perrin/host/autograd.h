/* Host service: gradients, and operations with a gradient of the plugin's own. */
#ifndef PERRIN_HOST_AUTOGRAD_H
#define PERRIN_HOST_AUTOGRAD_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_AUTOGRAD "perrin.autograd/1"

/* A plugin's backward pass. `context` is the plugin's. */
typedef struct perrin_backward {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;
  /* [any] grad_outputs[i] is borrowed and may be NULL (zero). Writes a new reference, or NULL for no gradient, to each
   * grad_inputs[j]. May run on another thread than the forward pass. */
  perrin_status* (*backward)(void* context, uint32_t n_outputs, perrin_tensor* const* grad_outputs, uint32_t n_inputs,
                             perrin_tensor** grad_inputs);
  void (*free)(void* context); /* [any] Called exactly once, also when custom_grad fails. */
} perrin_backward;
PERRIN_STATIC_ASSERT(sizeof(perrin_backward) == 32, "perrin_backward");

typedef struct perrin_host_autograd {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Gradients of sum_i <outputs[i], grad_outputs[i]> (grad_outputs NULL: outputs are scalars, weight 1).
   * gradients[j] is NULL where an output does not depend on inputs[j]. create_graph: 0 or 1. The graph is kept if 1. */
  perrin_status* (*grad)(uint32_t n_outputs, perrin_tensor* const* outputs, perrin_tensor* const* grad_outputs,
                         uint32_t n_inputs, perrin_tensor* const* inputs, int32_t create_graph,
                         perrin_tensor** gradients);
  /* [any] Marks `values`, which the plugin computed from `inputs` by means that autograd did not see, as differentiable
   * through `backward`. outputs[i] are new references that share memory with values[i]. */
  perrin_status* (*custom_grad)(uint32_t n_inputs, perrin_tensor* const* inputs, uint32_t n_outputs,
                                perrin_tensor* const* values, const perrin_backward* backward,
                                perrin_tensor** outputs);
} perrin_host_autograd;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_autograd) == 24, "perrin_host_autograd");

#ifdef __cplusplus
}
#endif
#endif
