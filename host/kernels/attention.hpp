// Softmax attention for short sequences and small heads: o = softmax(scale q k^T) v (1706.03762, eq. 1), no mask.
#pragma once

#include <cstdint>

#include "host/kernels/bfloat16.hpp"
#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

struct Attention {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t head_size = 0;  // a multiple of 8
  double scale = 1;       // > 0
};

// A (batch, heads, positions, head_size) array; strides in elements, the head_size elements adjacent.
template <class T>
struct HeadView {
  T* data = nullptr;
  int64_t batch = 0, head = 0, position = 0;
};

// T: float or Bfloat16; all arithmetic in float32. Writes o and, unless null, lse (batch, heads, queries): the base-2
// logarithm of the sum of 2^(scale log2(e) q.k), which backward needs. Memory beyond the result: one head in float32
// and 16 x keys values per thread. The result does not depend on threads. Throws perrin::Error for a head size or scale
// out of range.
template <class T>
void attention_forward(const Attention& a, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v, HeadView<T> o,
                       float* lse, const ParallelFor& parallel = serial);

// Gradients of q, k and v from that of o; probabilities are computed again, never stored.
template <class T>
void attention_backward(const Attention& a, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v,
                        HeadView<const T> o, HeadView<const T> grad_o, const float* lse, HeadView<T> dq, HeadView<T> dk,
                        HeadView<T> dv, const ParallelFor& parallel = serial);

// Plain loops in double. Dense (batch, heads, positions, head_size) arrays.
void attention_reference(const Attention& a, const float* q, const float* k, const float* v, float* o);
void attention_backward_reference(const Attention& a, const float* q, const float* k, const float* v,
                                  const float* grad_o, float* dq, float* dk, float* dv);

}  // namespace perrin::kernels
