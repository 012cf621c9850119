#include "host/kernels/adafactor.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/adamw.hpp"
#include "host/kernels/isa.hpp"

namespace perrin::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;
constexpr int64_t kLanes = 16;

// Sum over one row of f(j), in 16 fixed lanes added as a tree.
template <class F>
PERRIN_INLINE double lane_sum(int64_t n, F&& f) {
  double lane[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lane[l] += f(j + l);
  for (int64_t l = 0; j < n; ++j, ++l) lane[l] += f(j);
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  return lane[0];
}

PERRIN_INLINE double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

struct RowKernel {  // sums[i] = sum_j g_ij^2
  PERRIN_INLINE static void run(const float* g, int64_t columns, int64_t begin, int64_t end, double* sums) {
    for (int64_t i = begin; i < end; ++i) {
      const float* row = g + i * columns;
      sums[i] = lane_sum(columns, [=] [[gnu::always_inline]] (int64_t j) { return square(row[j]); });
    }
  }
};

struct ColumnKernel {  // sums[j] += g_ij^2, i in order
  PERRIN_INLINE static void run(const float* g, int64_t rows, int64_t columns, int64_t begin, int64_t end,
                                double* __restrict sums) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = begin; j < end; ++j) sums[j] += square(g[i * columns + j]);
  }
};

// U = g r_i c_j.
struct UpdateKernel {  // sums[i] = sum_j U_ij^2
  PERRIN_INLINE static void run(const float* g, const float* r, const float* c, int64_t columns, int64_t begin,
                                int64_t end, double* sums) {
    for (int64_t i = begin; i < end; ++i) {
      const float* row = g + i * columns;
      const float scale = r[i];
      sums[i] = lane_sum(columns, [=] [[gnu::always_inline]] (int64_t j) { return square(row[j] * scale * c[j]); });
    }
  }
};

struct WeightKernel {  // w = keep w - alpha U
  PERRIN_INLINE static void run(float* __restrict w, const float* __restrict g, const float* __restrict r,
                                const float* __restrict c, int64_t columns, int64_t begin, int64_t end, float keep,
                                float alpha) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t at = i * columns + j;
        w[at] = std::fma(-alpha, g[at] * r[i] * c[j], keep * w[at]);
      }
  }
};

double pairwise(std::span<const double> x) {
  if (x.empty()) return 0;
  if (x.size() == 1) return x[0];
  return pairwise(x.first(x.size() / 2)) + pairwise(x.subspan(x.size() / 2));
}

// moment = beta2 moment + (1 - beta2) (grad_scale^2 sum / n + eps1).
void decay(const Adafactor& o, std::span<const double> sums, int64_t n, std::span<float> moment) {
  const double one_minus_beta2 = std::pow(static_cast<double>(o.step), -o.decay_power);
  for (size_t i = 0; i < sums.size(); ++i) {
    const double mean = o.grad_scale * o.grad_scale * sums[i] / static_cast<double>(n) + o.eps1;
    moment[i] = static_cast<float>((1 - one_minus_beta2) * static_cast<double>(moment[i]) + one_minus_beta2 * mean);
  }
}

// 1 / sqrt(V_ij) = r_i c_j, times grad_scale.
struct Factors {
  std::vector<float> r, c;
  Factors(const Adafactor& o, const AdafactorBuffers& b) : r(b.row.size()), c(b.column.size()) {
    const std::vector<double> rows(b.row.begin(), b.row.end());
    const double mean = pairwise(rows) / static_cast<double>(rows.size());
    for (size_t i = 0; i < r.size(); ++i) r[i] = static_cast<float>(o.grad_scale * std::sqrt(mean / rows[i]));
    for (size_t j = 0; j < c.size(); ++j) c[j] = static_cast<float>(1 / std::sqrt(static_cast<double>(b.column[j])));
  }
};

// alpha_t = max(eps2, RMS(w)) rho_t, over max(1, RMS(U) / d).
double step_size(const Adafactor& o, double weight_norm, double update_norm, size_t n) {
  const double root = std::sqrt(static_cast<double>(n));
  const double rho = std::min(o.lr, 1 / std::sqrt(static_cast<double>(o.step)));
  return std::max(o.eps2, weight_norm / root) * rho / std::max(1.0, update_norm / root / o.clip);
}

void check(const Adafactor& o, const AdafactorBuffers& b) {
  const auto n = static_cast<size_t>(b.rows * b.columns);
  if (b.weight.size() != n || b.gradient.size() != n || b.row.size() != static_cast<size_t>(b.rows) ||
      b.column.size() != static_cast<size_t>(b.columns))
    throw Error("adafactor: the buffers do not fit a matrix " + std::to_string(b.rows) + " x " +
                std::to_string(b.columns));
  if (o.step < 1) throw Error("adafactor: step " + std::to_string(o.step) + ", the first is 1");
}

}  // namespace

void adafactor(const Adafactor& o, const AdafactorBuffers& b, const ParallelFor& parallel) {
  check(o, b);
  const float* g = b.gradient.data();
  std::vector<double> rows(b.row.size()), columns(b.column.size());
  const int64_t row_grain = std::max<int64_t>(1, kGrain / b.columns);
  parallel(b.rows, row_grain,
           [&](int64_t begin, int64_t end) { dispatch<RowKernel>(g, b.columns, begin, end, rows.data()); });
  parallel(b.columns, std::max<int64_t>(kLanes, kGrain / b.rows), [&](int64_t begin, int64_t end) {
    dispatch<ColumnKernel>(g, b.rows, b.columns, begin, end, columns.data());
  });
  decay(o, rows, b.columns, b.row);
  decay(o, columns, b.rows, b.column);
  const Factors f(o, b);
  parallel(b.rows, row_grain, [&](int64_t begin, int64_t end) {
    dispatch<UpdateKernel>(g, f.r.data(), f.c.data(), b.columns, begin, end, rows.data());
  });
  const double alpha = step_size(o, norm2(b.weight, parallel), std::sqrt(pairwise(rows)), b.weight.size());
  parallel(b.rows, row_grain, [&](int64_t begin, int64_t end) {
    dispatch<WeightKernel>(b.weight.data(), g, f.r.data(), f.c.data(), b.columns, begin, end,
                           static_cast<float>(1 - o.lr * o.weight_decay), static_cast<float>(alpha));
  });
}

void adafactor_reference(const Adafactor& o, const AdafactorBuffers& b) {
  check(o, b);
  const auto rows = static_cast<size_t>(b.rows), columns = static_cast<size_t>(b.columns);
  std::vector<double> row(rows), column(columns);
  const auto sum_rows = [&](auto&& value) {
    for (size_t i = 0; i < rows; ++i) {
      double lane[kLanes] = {};
      for (size_t j = 0; j < columns; ++j) lane[j % kLanes] += value(i, j);
      for (int64_t width = kLanes / 2; width > 0; width /= 2)
        for (int64_t l = 0; l < width; ++l) lane[l] += lane[l + width];
      row[i] = lane[0];
    }
  };
  sum_rows([&](size_t i, size_t j) { return square(b.gradient[i * columns + j]); });
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) column[j] += square(b.gradient[i * columns + j]);
  decay(o, row, b.columns, b.row);
  decay(o, column, b.rows, b.column);
  const Factors f(o, b);
  const auto update = [&](size_t i, size_t j) { return b.gradient[i * columns + j] * f.r[i] * f.c[j]; };
  sum_rows([&](size_t i, size_t j) { return square(update(i, j)); });
  const double size = step_size(o, norm2_reference(b.weight), std::sqrt(pairwise(row)), b.weight.size());
  const auto keep = static_cast<float>(1 - o.lr * o.weight_decay), alpha = static_cast<float>(size);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      float& w = b.weight[i * columns + j];
      w = std::fma(-alpha, update(i, j), keep * w);
    }
}

}  // namespace perrin::kernels
