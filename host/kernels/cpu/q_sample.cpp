#include "host/kernels/q_sample.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/cpu/random_body.hpp"

namespace perrin::kernels {
namespace {

using random::detail::kChunk;

PERRIN_INLINE void mix(const QSample& q, int64_t row, int64_t at, int64_t n, const float* eps) {
  alignas(64) float x[kChunk];
  const float* x0 = q.x0 + at;
  for (int64_t j = 0; j < n; ++j) x[j] = x0[j];
  const float alpha = q.alpha[row], sigma = q.sigma[row];
  float* x_t = q.x_t + at;
  for (int64_t j = 0; j < n; ++j) x_t[j] = std::fma(sigma, eps[j], alpha * x[j]);
  if (q.target == nullptr) return;
  const float a = q.target_x0[row], b = q.target_noise[row];
  float* target = q.target + at;
  for (int64_t j = 0; j < n; ++j) target[j] = std::fma(b, eps[j], a * x[j]);
}

struct QSampleKernel {
  PERRIN_INLINE static void run(const QSample* q, random::Key key, int64_t begin, int64_t end) {
    random::detail::for_row_chunks(
        q->row_size, begin, end,
        [&] [[gnu::always_inline]] (int64_t row, uint64_t block, int lanes, uint64_t offset, int64_t wanted, int64_t at) {
          alignas(64) float eps[kChunk];
          random::detail::normal_lanes(key, q->sample[row], block, lanes, eps);
          mix(*q, row, at, wanted, eps + offset);
        });
  }
};

void check(const QSample& q) {
  const int given = (q.target != nullptr) + (q.target_x0 != nullptr) + (q.target_noise != nullptr);
  if (given != 0 && given != 3) throw Error("q_sample: target, target_x0 and target_noise come together");
}

}  // namespace

void q_sample(const QSample& q, const ParallelFor& parallel) {
  check(q);
  const random::Key key = random::stream_key(q.stream);
  parallel(q.rows * q.row_size, 1 << 13,
           [&](int64_t begin, int64_t end) { dispatch<QSampleKernel>(&q, key, begin, end); });
}

void q_sample_reference(const QSample& q) {
  check(q);
  for (int64_t at = 0; at < q.rows * q.row_size; ++at) {
    const int64_t row = at / q.row_size;
    const float eps = random::normal_reference(q.stream, q.sample[row], static_cast<uint64_t>(at - row * q.row_size));
    const float x0 = q.x0[at];
    q.x_t[at] = std::fma(q.sigma[row], eps, q.alpha[row] * x0);
    if (q.target != nullptr) q.target[at] = std::fma(q.target_noise[row], eps, q.target_x0[row] * x0);
  }
}

}  // namespace perrin::kernels
