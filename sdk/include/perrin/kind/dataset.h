/* Kind: dataset. Samples by index, as named fields. */
#ifndef PERRIN_KIND_DATASET_H
#define PERRIN_KIND_DATASET_H

#include "../host/rng.h"
#include "../host/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_DATASET "perrin.kind.dataset/1"

/* One field of a sample. The field "image" is what diffusion models see; value = raw * scale + offset lies in [-1, 1] for
 * images. */
typedef struct perrin_field {
  uint32_t struct_size;
  uint32_t reserved;
  perrin_spec spec;   /* without the batch dimension: [C, H, W] for an image, [] for a label */
  double scale;
  double offset;
  uint64_t n_classes; /* of a label; 0 otherwise */
} perrin_field;
PERRIN_STATIC_ASSERT(sizeof(perrin_field) == 120, "perrin_field");

typedef struct perrin_dataset {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The fields, static for the instance's life. */
  perrin_status* (*fields)(void* instance, uint32_t* n, const perrin_field** fields);
  /* [any] Number of samples, > 0. May read headers only; files are opened by `create` or the first `read`. */
  perrin_status* (*count)(void* instance, uint64_t* n);
  /* [any] Samples indices[0 .. n) into buffers[f], contiguous [n, field f's shape], in the field's dtype. Called from
   * several loader threads at once. */
  perrin_status* (*read)(void* instance, uint64_t n, const uint64_t* indices, void* const* buffers);
  /* [any] Optional; training prefers it to `read`: the same samples augmented (flips, random crops). What is random is a
   * function of `stream` and the sample's position in the run, positions[i], alone, so that no batch size and no number of
   * loader threads changes it. */
  perrin_status* (*read_augmented)(void* instance, perrin_stream stream, uint64_t n, const uint64_t* indices,
                                   const uint64_t* positions, void* const* buffers);
} perrin_dataset;
PERRIN_STATIC_ASSERT(sizeof(perrin_dataset) == 40, "perrin_dataset");

/* Component extension: a distribution whose optimal denoiser is known. */
#define PERRIN_EXACT_DENOISER "perrin.exact-denoiser/1"

typedef struct perrin_exact_denoiser {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The posterior mean E[x_0 | x_t = x] of n samples of `size` values each, float64. The exact score follows by
   * Tweedie: (alpha E[x_0 | x] - x) / sigma^2. `labels` NULL: unconditional. */
  perrin_status* (*posterior_mean)(void* instance, double alpha, double sigma, uint64_t n, uint64_t size,
                                   const double* x, const int64_t* labels, double* mean);
  /* [any] Mean [size] and covariance [size, size] of the distribution; covariance may be NULL. */
  perrin_status* (*moments)(void* instance, uint64_t size, double* mean, double* covariance);
} perrin_exact_denoiser;
PERRIN_STATIC_ASSERT(sizeof(perrin_exact_denoiser) == 24, "perrin_exact_denoiser");

#ifdef __cplusplus
}
#endif
#endif
