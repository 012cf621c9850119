// Names follow 1509.09308, section 4.1: a tile is 2x2 outputs made of 4x4 inputs d; U = G g G^T, V = B^T d B,
// Y = A^T [U . V] A. The 16 products are matrix products over blocks of tiles, V[p] (tiles, in) times U[p] (in,
// out). The weight gradient is the transpose of that: dU[p] = V[p]^T (A dY A^T)[p], dg = G^T dU G.
#include "host/kernels/conv3x3.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/cpu/lanes.hpp"

namespace perrin::kernels {
namespace {

// Tiles of a block: more where the transformed kernel is large, so that it is read less often.
int64_t block_of(const Conv3x3& s) { return s.in * s.out >= 1 << 14 ? 64 : 32; }

// Floats between the 16 matrices of a block; the cache line on top keeps them out of one another's cache sets.
PERRIN_INLINE int64_t plane_of(int64_t block, int64_t channels) { return block * channels + 16; }

struct Matrix {
  const float* data;
  int64_t row, column;  // strides
};

// c (R, NV W) (+)= a (R, depth) b (depth, NV W), the sums in registers.
template <int W, int R, int NV>
PERRIN_INLINE void multiply_block(Matrix a, const float* b, int64_t b_row, int64_t depth, float* c, int64_t c_row,
                                  bool add) {
  Float<W> sum[R][NV];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) sum[r][v] = add ? read<W>(c + r * c_row + v * W) : Float<W>{};
  }
  for (int64_t k = 0; k < depth; ++k) {
    Float<W> bk[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) bk[v] = read<W>(b + k * b_row + v * W);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float ark = a.data[r * a.row + k * a.column];
#pragma GCC unroll 2
      for (int v = 0; v < NV; ++v) sum[r][v] += bk[v] * ark;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) write<W>(c + r * c_row + v * W, sum[r][v]);
  }
}

// rows a multiple of 8, columns of 16.
template <int W>
PERRIN_INLINE void multiply(int64_t rows, int64_t columns, int64_t depth, Matrix a, const float* b, float* c,
                            bool add) {
  constexpr int R = W == 16 ? 8 : 4;
  int64_t column = 0;
  for (; column + 2 * W <= columns; column += 2 * W) {
    for (int64_t r = 0; r < rows; r += R) {
      multiply_block<W, R, 2>({a.data + r * a.row, a.row, a.column}, b + column, columns, depth,
                              c + r * columns + column, columns, add);
    }
  }
  for (; column < columns; column += W) {
    for (int64_t r = 0; r < rows; r += R) {
      multiply_block<W, R, 1>({a.data + r * a.row, a.row, a.column}, b + column, columns, depth,
                              c + r * columns + column, columns, add);
    }
  }
}

// B^T d of four vectors; twice (columns, then rows) gives B^T d B.
template <int W>
PERRIN_INLINE void times_b(Float<W>& d0, Float<W>& d1, Float<W>& d2, Float<W>& d3) {
  const Float<W> t0 = d0 - d2, t1 = d1 + d2, t2 = d2 - d1, t3 = d1 - d3;
  d0 = t0, d1 = t1, d2 = t2, d3 = t3;
}

struct Tile {
  int64_t n, y, x;  // image, first output row and column
};

PERRIN_INLINE Tile tile_at(const Conv3x3& s, int64_t index) {
  const int64_t across = (s.width + 1) / 2, down = (s.height + 1) / 2;
  return {index / (across * down), index / across % down * 2, index % across * 2};
}

int64_t tiles_of(const Conv3x3& s) { return s.batch * ((s.height + 1) / 2) * ((s.width + 1) / 2); }

// The channels of a pixel, or zeros outside the image.
PERRIN_INLINE const float* pixel(const Conv3x3& s, const float* image, int64_t channels, int64_t y, int64_t x,
                                 const float* zeros) {
  const bool inside = y >= 0 && y < s.height && x >= 0 && x < s.width;
  return inside ? image + (y * s.width + x) * channels : zeros;
}

// v[p * plane + c] = (B^T d B)[p] for every input channel c.
template <int W>
PERRIN_INLINE void transform_input(const Conv3x3& s, const float* x, const Tile& t, const float* zeros, float* v,
                                   int64_t plane) {
  const float* image = x + t.n * s.height * s.width * s.in;
  const float* at[16];
  for (int p = 0; p < 16; ++p) at[p] = pixel(s, image, s.in, t.y + p / 4 - 1, t.x + p % 4 - 1, zeros);
  for (int64_t c = 0; c < s.in; c += W) {
    Float<W> d[16];
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) d[p] = read<W>(at[p] + c);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) times_b<W>(d[i], d[4 + i], d[8 + i], d[12 + i]);
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) times_b<W>(d[i], d[i + 1], d[i + 2], d[i + 3]);
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) write<W>(v + p * plane + c, d[p]);
  }
}

// y = A^T m A + bias, for the outputs that lie inside the image.
template <int W>
PERRIN_INLINE void transform_output(const Conv3x3& s, const float* m, int64_t plane, const Tile& t, const float* bias,
                                    float* y) {
  float* image = y + t.n * s.height * s.width * s.out;
  const bool right = t.x + 1 < s.width, below = t.y + 1 < s.height;
  for (int64_t c = 0; c < s.out; c += W) {
    Float<W> rows[2][4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Float<W> m0 = read<W>(m + i * plane + c), m1 = read<W>(m + (4 + i) * plane + c);
      const Float<W> m2 = read<W>(m + (8 + i) * plane + c), m3 = read<W>(m + (12 + i) * plane + c);
      rows[0][i] = m0 + m1 + m2;
      rows[1][i] = m1 - m2 - m3;
    }
    const Float<W> b = bias != nullptr ? read<W>(bias + c) : Float<W>{};
    for (int r = 0; r < 1 + below; ++r) {
      float* to = image + ((t.y + r) * s.width + t.x) * s.out + c;
      write<W>(to, rows[r][0] + rows[r][1] + rows[r][2] + b);
      if (right) write<W>(to + s.out, rows[r][1] - rows[r][2] - rows[r][3] + b);
    }
  }
}

// m = A dy A^T, and the sum of the four dy added to sum.
template <int W>
PERRIN_INLINE void transform_output_gradient(const Conv3x3& s, const float* dy, const Tile& t, const float* zeros,
                                             float* m, int64_t plane, float* sum) {
  const float* image = dy + t.n * s.height * s.width * s.out;
  const float* at[4];
  for (int p = 0; p < 4; ++p) at[p] = pixel(s, image, s.out, t.y + p / 2, t.x + p % 2, zeros);
  for (int64_t c = 0; c < s.out; c += W) {
    const Float<W> y00 = read<W>(at[0] + c), y01 = read<W>(at[1] + c), y10 = read<W>(at[2] + c),
                   y11 = read<W>(at[3] + c);
    const Float<W> left[4] = {y00, y00 + y10, y00 - y10, Float<W>{} - y10};
    const Float<W> right[4] = {y01, y01 + y11, y01 - y11, Float<W>{} - y11};
    write<W>(sum + c, read<W>(sum + c) + (left[1] + right[1]));
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      float* to = m + 4 * i * plane + c;
      write<W>(to, left[i]);
      write<W>(to + plane, left[i] + right[i]);
      write<W>(to + 2 * plane, left[i] - right[i]);
      write<W>(to + 3 * plane, Float<W>{} - right[i]);
    }
  }
}

struct ForwardWork {
  const Conv3x3* shape;
  int64_t block;
  const float *x, *u, *bias;
  float* y;
  const float* zeros;  // in floats
};

// Tiles first .. first + count - 1, count <= block. v and m: 16 planes each.
template <int W>
struct ForwardKernel {
  PERRIN_INLINE static void run(const ForwardWork* w, int64_t first, int64_t count, float* v, float* m) {
    const Conv3x3& s = *w->shape;
    const int64_t rows = (count + 7) / 8 * 8, v_plane = plane_of(w->block, s.in), m_plane = plane_of(w->block, s.out);
    for (int64_t i = 0; i < count; ++i) {
      transform_input<W>(s, w->x, tile_at(s, first + i), w->zeros, v + i * s.in, v_plane);
    }
    for (int64_t p = 0; p < 16; ++p) {
      std::fill_n(v + p * v_plane + count * s.in, (rows - count) * s.in, 0.0f);
      multiply<W>(rows, s.out, s.in, {v + p * v_plane, s.in, 1}, w->u + p * s.in * s.out, m + p * m_plane, false);
    }
    for (int64_t i = 0; i < count; ++i) {
      transform_output<W>(s, m + i * s.out, m_plane, tile_at(s, first + i), w->bias, w->y);
    }
  }
};

struct GradientWork {
  const Conv3x3* shape;
  int64_t block;
  const float *x, *dy;
  const float* zeros;  // max(in, out) floats
};

// du (16, in, out) += V^T m over tiles first .. end - 1; sum (out) += dy.
template <int W>
struct GradientKernel {
  PERRIN_INLINE static void run(const GradientWork* w, int64_t first, int64_t end, float* v, float* m, float* du,
                                float* sum) {
    const Conv3x3& s = *w->shape;
    const int64_t v_plane = plane_of(w->block, s.in), m_plane = plane_of(w->block, s.out);
    for (; first < end; first += w->block) {
      const int64_t count = std::min(w->block, end - first);
      for (int64_t i = 0; i < count; ++i) {
        const Tile t = tile_at(s, first + i);
        transform_input<W>(s, w->x, t, w->zeros, v + i * s.in, v_plane);
        transform_output_gradient<W>(s, w->dy, t, w->zeros, m + i * s.out, m_plane, sum);
      }
      for (int64_t p = 0; p < 16; ++p) {
        multiply<W>(s.in, s.out, count, {v + p * v_plane, 1, s.in}, m + p * m_plane, du + p * s.in * s.out, true);
      }
    }
  }
};

// u (16, in, out) = G g G^T, g (9, in, out), n = in out. G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1].
template <int W>
struct WeightKernel {
  using F = Float<W>;
  PERRIN_INLINE static void times_g(const F& g0, const F& g1, const F& g2, F* u) {
    const F even = 0.5f * (g0 + g2), odd = 0.5f * g1;
    u[0] = g0, u[1] = even + odd, u[2] = even - odd, u[3] = g2;
  }
  PERRIN_INLINE static void run(const float* g, int64_t n, float* u, int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j += W) {
      F columns[3][4], row[4];
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
        times_g(read<W>(g + x * n + j), read<W>(g + (3 + x) * n + j), read<W>(g + (6 + x) * n + j), columns[x]);
      }
#pragma GCC unroll 4
      for (int y = 0; y < 4; ++y) {
        times_g(columns[0][y], columns[1][y], columns[2][y], row);
#pragma GCC unroll 4
        for (int x = 0; x < 4; ++x) write<W>(u + (4 * y + x) * n + j, row[x]);
      }
    }
  }
};

// g (9, in, out) = G^T du G.
template <int W>
struct WeightGradientKernel {
  using F = Float<W>;
  PERRIN_INLINE static void times_gt(const F& u0, const F& u1, const F& u2, const F& u3, F* g) {
    const F even = 0.5f * (u1 + u2), odd = 0.5f * (u1 - u2);
    g[0] = u0 + even, g[1] = odd, g[2] = even + u3;
  }
  PERRIN_INLINE static void run(const float* du, int64_t n, float* g, int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j += W) {
      F columns[4][3], row[3];
#pragma GCC unroll 4
      for (int x = 0; x < 4; ++x) {
        times_gt(read<W>(du + x * n + j), read<W>(du + (4 + x) * n + j), read<W>(du + (8 + x) * n + j),
                 read<W>(du + (12 + x) * n + j), columns[x]);
      }
#pragma GCC unroll 3
      for (int y = 0; y < 3; ++y) {
        times_gt(columns[0][y], columns[1][y], columns[2][y], columns[3][y], row);
#pragma GCC unroll 3
        for (int x = 0; x < 3; ++x) write<W>(g + (3 * y + x) * n + j, row[x]);
      }
    }
  }
};

// (out, in, 3, 3) in any order <-> (9, in, out).
// Sixteen input channels at a time: one of the two sides is read or written across its rows.
void gather_weight(const Conv3x3& s, const KernelView<const float>& w, float* g, int64_t first_in, int64_t end_in) {
  for (int64_t k = 0; k < 9; ++k) {
    for (int64_t i0 = first_in; i0 < end_in; i0 += 16) {
      const float* from = w.data + k / 3 * w.row + k % 3 * w.column + i0 * w.in;
      float* to = g + (k * s.in + i0) * s.out;
      const int64_t n = std::min<int64_t>(16, end_in - i0);
      for (int64_t o = 0; o < s.out; ++o) {
        for (int64_t i = 0; i < n; ++i) to[i * s.out + o] = from[o * w.out + i * w.in];
      }
    }
  }
}

void scatter_weight(const Conv3x3& s, const float* g, const KernelView<float>& w) {
  for (int64_t k = 0; k < 9; ++k) {
    for (int64_t i0 = 0; i0 < s.in; i0 += 16) {
      float* to = w.data + k / 3 * w.row + k % 3 * w.column + i0 * w.in;
      const float* from = g + (k * s.in + i0) * s.out;
      for (int64_t o = 0; o < s.out; ++o) {
        for (int64_t i = 0; i < 16; ++i) to[o * w.out + i * w.in] = from[i * s.out + o];
      }
    }
  }
}

void check(const Conv3x3& s) {
  if (s.in <= 0 || s.out <= 0 || s.in % 16 != 0 || s.out % 16 != 0) {
    throw Error("conv3x3: " + std::to_string(s.in) + " -> " + std::to_string(s.out) + " channels", {},
                "both must be multiples of 16");
  }
}

// Slices of the weight gradient: at least 256 tiles each, at most 16, fewer where one slice's sum is large.
int64_t slices_of(const Conv3x3& s) {
  const int64_t by_work = std::max<int64_t>(1, tiles_of(s) / 256),
                by_memory = std::max<int64_t>(2, 65536 / (s.in * s.out));
  return std::min({int64_t{16}, by_work, by_memory});
}

// Threads take whole multiples of 16 values, which every register width divides.
void parallel_in_lanes(int64_t n, int64_t grain, const ParallelFor& parallel,
                       const std::function<void(int64_t, int64_t)>& body) {
  parallel(n / 16, grain / 16, [&](int64_t begin, int64_t end) { body(16 * begin, 16 * end); });
}

}  // namespace

void conv3x3(const Conv3x3& shape, const float* x, const KernelView<const float>& w, const float* bias, float* y,
             const ParallelFor& parallel) {
  check(shape);
  const int64_t n = shape.in * shape.out, block = block_of(shape);
  float* u = kept_floats(Slot::weights, 25 * n);
  float* g = u + 16 * n;
  const std::vector<float> zeros(static_cast<size_t>(shape.in));
  parallel_in_lanes(shape.in, std::max<int64_t>(16, 16384 / shape.out), parallel, [&](int64_t begin, int64_t end) {
    gather_weight(shape, w, g, begin, end);
    dispatch_lanes<WeightKernel>(static_cast<const float*>(g), n, u, begin * shape.out, end * shape.out);
  });
  const ForwardWork work{&shape, block, x, u, bias, y, zeros.data()};
  parallel((tiles_of(shape) + block - 1) / block, 1, [&](int64_t begin, int64_t end) {
    const int64_t v_size = 16 * plane_of(block, shape.in);
    float* v = kept_floats(Slot::block, v_size + 16 * plane_of(block, shape.out));
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * block;
      dispatch_lanes<ForwardKernel>(&work, first, std::min(block, tiles_of(shape) - first), v, v + v_size);
    }
  });
}

void conv3x3_weight_gradient(const Conv3x3& shape, const float* x, const float* dy, const KernelView<float>& dw,
                             float* dbias, const ParallelFor& parallel) {
  check(shape);
  const int64_t n = shape.in * shape.out, slices = slices_of(shape), tiles = tiles_of(shape), block = block_of(shape);
  const int64_t slice_size = 16 * n + shape.out;
  float* sums = kept_floats(Slot::sums, slices * slice_size);
  const std::vector<float> zeros(static_cast<size_t>(std::max(shape.in, shape.out)));
  const GradientWork work{&shape, block, x, dy, zeros.data()};
  parallel(slices, 1, [&](int64_t begin, int64_t end) {
    const int64_t v_size = 16 * plane_of(block, shape.in);
    float* v = kept_floats(Slot::block, v_size + 16 * plane_of(block, shape.out));
    for (int64_t i = begin; i < end; ++i) {
      float* du = sums + i * slice_size;
      std::memset(du, 0, static_cast<size_t>(slice_size) * sizeof(float));
      dispatch_lanes<GradientKernel>(&work, tiles * i / slices, tiles * (i + 1) / slices, v, v + v_size, du,
                                     du + 16 * n);
    }
  });
  parallel(slice_size, 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = 1; i < slices; ++i) {
      const float* part = sums + i * slice_size;
      for (int64_t j = begin; j < end; ++j) sums[j] += part[j];
    }
  });
  float* g = kept_floats(Slot::weights, 9 * n);
  parallel_in_lanes(n, 1 << 14, parallel, [&](int64_t begin, int64_t end) {
    dispatch_lanes<WeightGradientKernel>(static_cast<const float*>(sums), n, g, begin, end);
  });
  scatter_weight(shape, g, dw);
  if (dbias != nullptr) std::copy_n(sums + 16 * n, shape.out, dbias);
}

}  // namespace perrin::kernels
