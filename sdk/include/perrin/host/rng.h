/* Host service: stateless randomness. The only source of random numbers that a plugin may use. */
#ifndef PERRIN_HOST_RNG_H
#define PERRIN_HOST_RNG_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_RNG "perrin.rng/1"

/* What a random number is for; part of its key, so that two uses never share numbers. Plugins add their own values to
 * PERRIN_PURPOSE_PLUGIN. */
#define PERRIN_PURPOSE_INIT 1u      /* initial parameters */
#define PERRIN_PURPOSE_ORDER 2u     /* data order */
#define PERRIN_PURPOSE_AUGMENT 3u
#define PERRIN_PURPOSE_TIMESTEP 4u
#define PERRIN_PURPOSE_NOISE 5u     /* eps of the forward process */
#define PERRIN_PURPOSE_DROP 6u      /* condition drop */
#define PERRIN_PURPOSE_DROPOUT 7u
#define PERRIN_PURPOSE_SAMPLE 8u    /* x_T */
#define PERRIN_PURPOSE_SAMPLER 9u   /* noise inside a sampler */
#define PERRIN_PURPOSE_LOSS 10u
#define PERRIN_PURPOSE_ENCODER 11u  /* draws from a posterior */
#define PERRIN_PURPOSE_PLUGIN 65536u

/* Every number is Philox4x32-10 of key (seed, purpose, step) and counter (sample, element): a pure function, the same
 * on every device, for every batch size, thread count and range asked for. */
typedef struct perrin_stream {
  uint64_t seed;
  uint32_t purpose;
  uint32_t step;
} perrin_stream;

/* All [any]. `sample` is a sample's position in the run or in the request; element i of it is what value[i - first] is. */
typedef struct perrin_host_rng {
  uint32_t struct_size;
  uint32_t reserved;
  void (*bits)(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, uint32_t* value);
  void (*uniform)(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, float* value);         /* (0, 1] */
  void (*uniform_double)(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, double* value); /* (0, 1] */
  void (*normal)(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, float* value);          /* N(0, 1) */
} perrin_host_rng;
PERRIN_STATIC_ASSERT(sizeof(perrin_stream) == 16, "perrin_stream");
PERRIN_STATIC_ASSERT(sizeof(perrin_host_rng) == 40, "perrin_host_rng");

#ifdef __cplusplus
}
#endif
#endif
