// Lanes are queries (forward) or keys (backward): a tile of W of them against all rows of the other side. Everything
// is made of two loops over rows, dots and sums, so no sum ever runs across lanes and a head size of 8 costs no
// shuffles:
//   dots: b[j] = sum_c tile[c] rows[j][c]        sums: tile[c] = sum_j b[j] rows[j][c]
#include "host/kernels/attention.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "host/base/error.hpp"
#include "host/kernels/cpu/lanes.hpp"

namespace perrin::kernels {
namespace {

// 2^x for -100 <= x < 127, below -100 the value at -100 (small, yet its products are no denormals): 2^n 2^r with |r| <=
// 1/2, the minimax polynomial of degree 5 (relative error 7.5e-8 before rounding).
template <int W>
PERRIN_INLINE Float<W> exp2_lanes(Float<W> x) {
  using Int = typename Vector<W>::Int;
  const Float<W> lowest = Float<W>{} - 100.0f;
  x = lowest > x ? lowest : x;  // this order keeps NaN
  const Float<W> shifted = x + 0x1.8p+23f;
  const Float<W> r = x - (shifted - 0x1.8p+23f);
  Float<W> p = r * 0x1.5c08e6p-10f + 0x1.3d0c52p-7f;
  p = p * r + 0x1.c6b6e4p-5f;
  p = p * r + 0x1.ebf918p-3f;
  p = p * r + 0x1.62e428p-1f;
  p = p * r + 0x1.000002p+0f;
  return (Float<W>)((Int)p + ((Int)shifted << 23));
}

// b[j] (+)= sum over C columns.
template <int W, int C>
PERRIN_INLINE void dots_of(const Float<W>* tile, const float* rows, int64_t n, int64_t stride, bool add, Float<W>* b) {
  Float<W> t[C];
#pragma GCC unroll 16
  for (int c = 0; c < C; ++c) t[c] = tile[c];
  for (int64_t j = 0; j < n; ++j) {
    const float* row = rows + j * stride;
    Float<W> even = t[0] * row[0], odd = t[1] * row[1];
#pragma GCC unroll 16
    for (int c = 2; c < C; c += 2) {
      even += t[c] * row[c];
      odd += t[c + 1] * row[c + 1];
    }
    b[j] = add ? b[j] + (even + odd) : even + odd;
  }
}

template <int W, int C>
PERRIN_INLINE void sums_of(const Float<W>* b, const float* rows, int64_t n, int64_t stride, bool add, Float<W>* tile) {
  Float<W> t[C] = {};
  for (int c = 0; c < C && add; ++c) t[c] = tile[c];
  for (int64_t j = 0; j < n; ++j) {
    const float* row = rows + j * stride;
    const Float<W> bj = b[j];
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) t[c] += bj * row[c];
  }
#pragma GCC unroll 16
  for (int c = 0; c < C; ++c) tile[c] = t[c];
}

// As many columns at a time as stay in registers.
template <int W>
PERRIN_INLINE void dots(const Float<W>* tile, const float* rows, int64_t n, int64_t d, Float<W>* b) {
  int64_t c = 0;
  if constexpr (W == 16) {
    for (; c + 16 <= d; c += 16) dots_of<W, 16>(tile + c, rows + c, n, d, c > 0, b);
  }
  for (; c < d; c += 8) dots_of<W, 8>(tile + c, rows + c, n, d, c > 0, b);
}

template <int W>
PERRIN_INLINE void sums(const Float<W>* b, const float* rows, int64_t n, int64_t d, Float<W>* tile, bool add = false) {
  int64_t c = 0;
  if constexpr (W == 16) {
    for (; c + 16 <= d; c += 16) sums_of<W, 16>(b, rows + c, n, d, add, tile + c);
  }
  for (; c < d; c += 8) sums_of<W, 8>(b, rows + c, n, d, add, tile + c);
}

// Exchanges the off-diagonal S x S blocks of every 2S x 2S block.
template <int W, int S>
PERRIN_INLINE void transpose_stage(Float<W>* v) {
  typename Vector<W>::Int low = {}, high = {};
#pragma GCC unroll 16
  for (int l = 0; l < W; ++l) {
    low[l] = l & S ? W + l - S : l;
    high[l] = l & S ? W + l : l + S;
  }
#pragma GCC unroll 16
  for (int r = 0; r < W; ++r) {
    if (r & S) continue;
    const Float<W> a = v[r], b = v[r + S];
    v[r] = __builtin_shuffle(a, b, low);
    v[r + S] = __builtin_shuffle(a, b, high);
  }
}

// W vectors of W lanes.
template <int W>
PERRIN_INLINE void transpose(const Float<W>* from, Float<W>* to) {
  Float<W> v[W];
#pragma GCC unroll 16
  for (int r = 0; r < W; ++r) v[r] = from[r];
  transpose_stage<W, 1>(v);
  transpose_stage<W, 2>(v);
  if constexpr (W >= 8) transpose_stage<W, 4>(v);
  if constexpr (W >= 16) transpose_stage<W, 8>(v);
#pragma GCC unroll 16
  for (int r = 0; r < W; ++r) to[r] = v[r];
}

// Four running maxima, so that none waits for the one before.
template <int W>
PERRIN_INLINE Float<W> max_of(const Float<W>* b, int64_t n) {
  Float<W> top[4] = {b[0], b[0], b[0], b[0]};
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) {
#pragma GCC unroll 4
    for (int l = 0; l < 4; ++l) top[l] = b[j + l] > top[l] ? b[j + l] : top[l];
  }
  for (; j < n; ++j) top[0] = b[j] > top[0] ? b[j] : top[0];
  top[0] = top[1] > top[0] ? top[1] : top[0];
  top[2] = top[3] > top[2] ? top[3] : top[2];
  return top[2] > top[0] ? top[2] : top[0];
}

// rows (n, d) dense <-> tile (d, W), lanes beyond n are zero and are not written back.
template <int W>
PERRIN_INLINE void load_tile(const float* rows, int64_t n, int64_t d, Float<W>* tile) {
  float* t = reinterpret_cast<float*>(tile);
  for (int l = 0; l < W; ++l) {
    for (int64_t c = 0; c < d; ++c) t[c * W + l] = l < n ? rows[l * d + c] : 0.0f;
  }
}

template <int W>
PERRIN_INLINE void store_tile(const Float<W>* tile, int64_t n, int64_t d, float* rows) {
  const float* t = reinterpret_cast<const float*>(tile);
  for (int64_t l = 0; l < std::min<int64_t>(n, W); ++l) {
    for (int64_t c = 0; c < d; ++c) rows[l * d + c] = t[c * W + l];
  }
}

// One head, float32, dense (positions, d), and the scratch of one thread.
struct Head {
  int64_t queries, keys, d;
  float scale;  // scale log2(e)
  const float *q, *k, *v;
  float* o;
  float* lse;
  // backward
  const float *grad_o, *delta;  // delta[i] = sum_c grad_o[i][c] o[i][c]
  float *dq, *dk, *dv;
  // scratch, 64-byte aligned: `tile` d x W floats, `b` 2 x W x (longer side, padded to W), `dq_tiles` one array of it
  float *tile, *b, *dq_tiles;
};

template <int W>
struct ForwardKernel {
  PERRIN_INLINE static void run(const Head* h) {
    using F = Float<W>;
    F* tile = reinterpret_cast<F*>(h->tile);
    F* b = reinterpret_cast<F*>(h->b);
    for (int64_t i = 0; i < h->queries; i += W) {
      load_tile<W>(h->q + i * h->d, h->queries - i, h->d, tile);
      dots<W>(tile, h->k, h->keys, h->d, b);
      F top = max_of<W>(b, h->keys);
      top *= h->scale;
      F total = {};
      for (int64_t j = 0; j < h->keys; ++j) {
        b[j] = exp2_lanes<W>(b[j] * h->scale - top);
        total += b[j];
      }
      sums<W>(b, h->v, h->keys, h->d, tile);
      const F inverse = 1.0f / total;
      for (int64_t c = 0; c < h->d; ++c) tile[c] *= inverse;
      store_tile<W>(tile, h->queries - i, h->d, h->o + i * h->d);
      for (int64_t l = 0; l < std::min<int64_t>(W, h->queries - i); ++l) h->lse[i + l] = top[l] + std::log2(total[l]);
    }
  }
};

// Lanes are keys: dv = sum_i p[i] grad_o[i], dk = scale sum_i ds[i] q[i], ds = p (dp - delta). For dq the same ds is
// turned, W x W values at a time, so that its lanes are queries.
template <int W>
struct BackwardKernel {
  using F = Float<W>;

  PERRIN_INLINE static void key_tile(const Head* h, int64_t j, F* dq) {
    const int64_t left = h->keys - j, padded = (h->queries + W - 1) / W * W;
    F *tile = reinterpret_cast<F*>(h->tile), *p = reinterpret_cast<F*>(h->b), *ds = p + padded;
    load_tile<W>(h->k + j * h->d, left, h->d, tile);
    dots<W>(tile, h->q, h->queries, h->d, p);
    load_tile<W>(h->v + j * h->d, left, h->d, tile);
    dots<W>(tile, h->grad_o, h->queries, h->d, ds);
    for (int64_t i = 0; i < h->queries; ++i) {
      p[i] = exp2_lanes<W>(p[i] * h->scale - h->lse[i]);
      ds[i] = p[i] * (ds[i] - h->delta[i]);
    }
    sums<W>(p, h->grad_o, h->queries, h->d, tile);
    store_tile<W>(tile, left, h->d, h->dv + j * h->d);
    sums<W>(ds, h->q, h->queries, h->d, tile);
    scale_tile(h, tile);
    store_tile<W>(tile, left, h->d, h->dk + j * h->d);
    for (int64_t i = h->queries; i < padded; ++i) ds[i] = F{};
    for (int64_t i = 0; i < padded; i += W) {
      transpose<W>(ds + i, p);
      sums<W>(p, h->k + j * h->d, std::min<int64_t>(left, W), h->d, dq + i / W * h->d, j > 0);
    }
  }

  PERRIN_INLINE static void scale_tile(const Head* h, F* tile) {
    for (int64_t c = 0; c < h->d; ++c) tile[c] *= h->scale * 0x1.62e43p-1f;  // ln 2
  }

  PERRIN_INLINE static void run(const Head* h) {
    F* dq = reinterpret_cast<F*>(h->dq_tiles);
    for (int64_t j = 0; j < h->keys; j += W) key_tile(h, j, dq);
    for (int64_t i = 0; i < h->queries; i += W) {
      scale_tile(h, dq + i / W * h->d);
      store_tile<W>(dq + i / W * h->d, h->queries - i, h->d, h->dq + i * h->d);
    }
  }
};

void check(const Attention& a) {
  if (a.head_size <= 0 || a.head_size % 8 != 0 || !(a.scale > 0)) {
    throw Error("attention: head size " + std::to_string(a.head_size) + ", scale " + std::to_string(a.scale), {},
                "the head size must be a multiple of 8, the scale positive");
  }
}

// Scratch of one thread: a dense float32 copy of one head's arrays and the kernels' buffers.
class Scratch {
 public:
  Scratch(const Attention& a, int arrays)
      : longest_(std::max(a.queries, a.keys)),
        size_((longest_ + 15) / 16 * 16 * a.head_size),
        memory_(aligned_floats(arrays * pad(size_) + 16 * a.head_size + 32 * pad(longest_))) {
    next_ = memory_.get();
  }
  float* array() { return take(size_); }
  float* tile(int64_t d) { return take(16 * d); }
  float* rows() { return take(32 * pad(longest_)); }

 private:
  static int64_t pad(int64_t n) { return (n + 15) / 16 * 16; }
  float* take(int64_t n) {
    float* p = next_;
    next_ += pad(n);
    return p;
  }
  int64_t longest_, size_;
  AlignedFloats memory_;
  float* next_;
};

template <class T>
void copy_in(HeadView<const T> view, int64_t n, int64_t h, int64_t positions, int64_t d, float* to) {
  const T* from = view.data + n * view.batch + h * view.head;
  for (int64_t i = 0; i < positions; ++i) {
    for (int64_t c = 0; c < d; ++c) to[i * d + c] = load(from + i * view.position + c);
  }
}

template <class T>
void copy_out(const float* from, int64_t n, int64_t h, int64_t positions, int64_t d, HeadView<T> view) {
  T* to = view.data + n * view.batch + h * view.head;
  for (int64_t i = 0; i < positions; ++i) {
    for (int64_t c = 0; c < d; ++c) store(to + i * view.position + c, from[i * d + c]);
  }
}

Head head_of(const Attention& a, Scratch& scratch) {
  Head head{};
  head.queries = a.queries, head.keys = a.keys, head.d = a.head_size;
  head.scale = static_cast<float>(a.scale * 1.4426950408889634);
  head.tile = scratch.tile(a.head_size);
  head.b = scratch.rows();
  return head;
}

}  // namespace

template <class T>
void attention_forward(const Attention& a, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v, HeadView<T> o,
                       float* lse, const ParallelFor& parallel) {
  check(a);
  parallel(a.batch * a.heads, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch(a, 5);
    Head head = head_of(a, scratch);
    float *hq = scratch.array(), *hk = scratch.array(), *hv = scratch.array(), *own_lse = scratch.array();
    head.q = hq, head.k = hk, head.v = hv, head.o = scratch.array();
    for (int64_t at = begin; at < end; ++at) {
      const int64_t n = at / a.heads, h = at % a.heads;
      copy_in(q, n, h, a.queries, a.head_size, hq);
      copy_in(k, n, h, a.keys, a.head_size, hk);
      copy_in(v, n, h, a.keys, a.head_size, hv);
      head.lse = lse != nullptr ? lse + at * a.queries : own_lse;
      dispatch_lanes<ForwardKernel>(static_cast<const Head*>(&head));
      copy_out(head.o, n, h, a.queries, a.head_size, o);
    }
  });
}

template <class T>
void attention_backward(const Attention& a, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v,
                        HeadView<const T> o, HeadView<const T> grad_o, const float* lse, HeadView<T> dq, HeadView<T> dk,
                        HeadView<T> dv, const ParallelFor& parallel) {
  check(a);
  parallel(a.batch * a.heads, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch(a, 10);
    Head head = head_of(a, scratch);
    float *hq = scratch.array(), *hk = scratch.array(), *hv = scratch.array(), *ho = scratch.array();
    float *hg = scratch.array(), *delta = scratch.array();
    head.q = hq, head.k = hk, head.v = hv, head.grad_o = hg, head.delta = delta;
    head.dq = scratch.array(), head.dk = scratch.array(), head.dv = scratch.array();
    head.dq_tiles = scratch.array();
    for (int64_t at = begin; at < end; ++at) {
      const int64_t n = at / a.heads, h = at % a.heads, d = a.head_size;
      copy_in(q, n, h, a.queries, d, hq);
      copy_in(k, n, h, a.keys, d, hk);
      copy_in(v, n, h, a.keys, d, hv);
      copy_in(o, n, h, a.queries, d, ho);
      copy_in(grad_o, n, h, a.queries, d, hg);
      for (int64_t i = 0; i < a.queries; ++i) {
        delta[i] = 0;
        for (int64_t c = 0; c < d; ++c) delta[i] += hg[i * d + c] * ho[i * d + c];
      }
      head.lse = const_cast<float*>(lse) + at * a.queries;
      dispatch_lanes<BackwardKernel>(static_cast<const Head*>(&head));
      copy_out(head.dq, n, h, a.queries, d, dq);
      copy_out(head.dk, n, h, a.keys, d, dk);
      copy_out(head.dv, n, h, a.keys, d, dv);
    }
  });
}

#define PERRIN_INSTANTIATE(T)                                                                                    \
  template void attention_forward(const Attention&, HeadView<const T>, HeadView<const T>, HeadView<const T>,     \
                                  HeadView<T>, float*, const ParallelFor&);                                      \
  template void attention_backward(const Attention&, HeadView<const T>, HeadView<const T>, HeadView<const T>,    \
                                   HeadView<const T>, HeadView<const T>, const float*, HeadView<T>, HeadView<T>, \
                                   HeadView<T>, const ParallelFor&);
PERRIN_INSTANTIATE(float)
PERRIN_INSTANTIATE(Bfloat16)
#undef PERRIN_INSTANTIATE

}  // namespace perrin::kernels
