/* Component extension: trainable parameters and buffers, owned by the host. */
#ifndef PERRIN_HOST_PARAMS_H
#define PERRIN_HOST_PARAMS_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_PARAMS "perrin.params/1"

#define PERRIN_PARAMETER 0u  /* trained, saved */
#define PERRIN_BUFFER 1u     /* not trained, saved */
#define PERRIN_SCRATCH 2u    /* not trained, not saved */

#define PERRIN_INIT_CONSTANT 0u /* a */
#define PERRIN_INIT_NORMAL 1u   /* a * N(0, 1) */
#define PERRIN_INIT_UNIFORM 2u  /* U(-a, a) */
#define PERRIN_INIT_GIVEN 3u    /* the values of `given` */

typedef struct perrin_param {
  uint32_t struct_size;
  uint32_t role;  /* PERRIN_PARAMETER .. PERRIN_SCRATCH */
  perrin_text name; /* dotted, unique in the component: "down.0.conv.weight" */
  uint32_t dtype;
  uint32_t rank;
  int64_t sizes[8];
  uint32_t init;    /* PERRIN_INIT_* */
  uint32_t no_decay; /* 1: weight decay leaves it alone (biases, norms, embeddings) */
  double init_a;
  perrin_tensor* given; /* borrowed */
  perrin_text tie_to;   /* the name of an earlier parameter whose memory it shares; empty: none */
  /* 1: initially and after each training step the host scales every row (the elements that share an index of the first
   * dimension) to the norm sqrt(its number of elements); a row of zeros stays. For a PERRIN_PARAMETER of rank 2 or more
   * with memory of its own. */
  uint32_t normalise;
  uint32_t reserved;
} perrin_param;
PERRIN_STATIC_ASSERT(sizeof(perrin_param) == 144, "perrin_param");

typedef struct perrin_param_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;
  /* [instance-serial] Copies what it needs. */
  perrin_status* (*declare)(void* context, const perrin_param* param);
} perrin_param_sink;
PERRIN_STATIC_ASSERT(sizeof(perrin_param_sink) == 24, "perrin_param_sink");

typedef struct perrin_params {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] After infer, before bind. The same names in the same order every time. */
  perrin_status* (*declare)(void* instance, const perrin_param_sink* sink);
  /* [instance-serial] n tensors in the declared order. The instance retains what it uses and writes to none but buffers.
   * Called again when the host moves or replaces them (device, EMA weights, precision). */
  perrin_status* (*bind)(void* instance, uint32_t n, perrin_tensor* const* tensors);
} perrin_params;
PERRIN_STATIC_ASSERT(sizeof(perrin_params) == 24, "perrin_params");

/* What a forward call is told beside its tensors. */
typedef struct perrin_call {
  uint32_t struct_size;
  uint32_t training;       /* 1 in training (dropout on), 0 in evaluation */
  uint64_t seed;           /* the run's, for perrin_stream */
  uint32_t step;           /* number of this optimizer step, from 1 on, over all stages; 0 outside training, as the two below */
  uint32_t n;              /* batch size B */
  const uint64_t* samples; /* [B] position of each sample in the run, for perrin_host_rng */
  uint32_t stage_step;     /* optimizer steps done before in this stage */
  uint32_t stage_steps;    /* of this stage */
} perrin_call;
PERRIN_STATIC_ASSERT(sizeof(perrin_call) == 40, "perrin_call");

#ifdef __cplusplus
}
#endif
#endif
