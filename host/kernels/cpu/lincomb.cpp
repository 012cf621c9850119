#include "host/kernels/lincomb.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "host/base/error.hpp"
#include "host/kernels/cpu/random_body.hpp"

namespace perrin::kernels {
namespace {

using random::detail::kChunk;

template <class T>
struct Work {
  const Term<T>* terms;
  size_t n_terms;
  const Noise* noise;  // may be null
  random::Key key;
  T* y;
};

// One chunk of at most kChunk elements, accumulated in a buffer that stays in the first-level cache.
template <class T>
PERRIN_INLINE void accumulate(const Work<T>& work, int64_t at, int64_t n, const float* z) {
  alignas(64) T sum[kChunk];
  if (work.n_terms == 0) {
    for (int64_t j = 0; j < n; ++j) sum[j] = 0;
  }
  for (size_t i = 0; i < work.n_terms; ++i) {
    const T a = work.terms[i].coefficient;
    const T* x = work.terms[i].x + at;
    if (i == 0) {
      for (int64_t j = 0; j < n; ++j) sum[j] = a * x[j];
    } else {
      for (int64_t j = 0; j < n; ++j) sum[j] = std::fma(a, x[j], sum[j]);
    }
  }
  if (z != nullptr) {
    const T s = static_cast<T>(work.noise->scale);
    for (int64_t j = 0; j < n; ++j) sum[j] = std::fma(s, static_cast<T>(z[j]), sum[j]);
  }
  T* y = work.y + at;
  for (int64_t j = 0; j < n; ++j) y[j] = sum[j];
}

template <class T>
struct LincombKernel {
  PERRIN_INLINE static void run(const Work<T>* work, int64_t begin, int64_t end) {
    if (work->noise == nullptr) {
      for (int64_t at = begin; at < end; at += kChunk)
        accumulate(*work, at, std::min<int64_t>(kChunk, end - at), nullptr);
      return;
    }
    random::detail::for_row_chunks(
        work->noise->elements_per_sample, begin, end,
        [&] [[gnu::always_inline]] (int64_t row, uint64_t block, int lanes, uint64_t offset, int64_t wanted, int64_t at) {
          alignas(64) float z[kChunk];
          random::detail::normal_lanes(work->key, work->noise->samples[row], block, lanes, z);
          accumulate(*work, at, wanted, z + offset);
        });
  }
};

template <class T>
void check(std::span<const Term<T>> terms, const Noise* noise, std::span<T> y) {
  if (terms.size() > kMaxTerms) {
    throw Error("lincomb: " + std::to_string(terms.size()) + " terms, at most " + std::to_string(kMaxTerms), {},
                "add in two calls");
  }
  if (terms.empty() && noise == nullptr) throw Error("lincomb: no term and no noise");
  if (noise == nullptr || y.empty()) return;
  const int64_t row = noise->elements_per_sample;
  if (row <= 0 || static_cast<int64_t>(y.size()) % row != 0) {
    throw Error("lincomb: " + std::to_string(y.size()) + " elements are no whole number of samples of " +
                std::to_string(row));
  }
}

template <class T>
void run(std::span<const Term<T>> terms, const Noise* noise, std::span<T> y, const ParallelFor& parallel) {
  check(terms, noise, y);
  const Work<T> work{terms.data(), terms.size(), noise, noise ? random::stream_key(noise->stream) : random::Key{},
                     y.data()};
  parallel(static_cast<int64_t>(y.size()), noise ? 1 << 13 : 1 << 15,
           [&](int64_t begin, int64_t end) { dispatch<LincombKernel<T>>(&work, begin, end); });
}

template <class T>
void run_reference(std::span<const Term<T>> terms, const Noise* noise, std::span<T> y) {
  check(terms, noise, y);
  for (size_t j = 0; j < y.size(); ++j) {
    T sum = 0;
    for (size_t i = 0; i < terms.size(); ++i) {
      const T x = terms[i].x[j];
      sum = i == 0 ? terms[i].coefficient * x : std::fma(terms[i].coefficient, x, sum);
    }
    if (noise != nullptr) {
      const auto row = j / static_cast<size_t>(noise->elements_per_sample);
      const auto element = j % static_cast<size_t>(noise->elements_per_sample);
      const float z = random::normal_reference(noise->stream, noise->samples[row], element);
      sum = std::fma(static_cast<T>(noise->scale), static_cast<T>(z), sum);
    }
    y[j] = sum;
  }
}

}  // namespace

void lincomb(std::span<const Term<float>> terms, const Noise* noise, std::span<float> y, const ParallelFor& parallel) {
  run(terms, noise, y, parallel);
}

void lincomb(std::span<const Term<double>> terms, const Noise* noise, std::span<double> y,
             const ParallelFor& parallel) {
  run(terms, noise, y, parallel);
}

void lincomb_reference(std::span<const Term<float>> terms, const Noise* noise, std::span<float> y) {
  run_reference(terms, noise, y);
}

void lincomb_reference(std::span<const Term<double>> terms, const Noise* noise, std::span<double> y) {
  run_reference(terms, noise, y);
}

}  // namespace perrin::kernels
