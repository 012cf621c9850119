// y = sum_i a_i x_i + s * noise for plugins: the kernel of host/kernels/lincomb.hpp on tensors.
#include "host/kernels/lincomb.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <array>

#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

void parallel(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  at::parallel_for(0, n, grain, body);
}

std::string shape(const at::Tensor& x) { return c10::str(x.scalar_type(), " ", x.sizes()); }

void check_terms(uint32_t n, perrin_tensor* const* x) {
  if (n < 1 || n > kernels::kMaxTerms)
    throw Fault(PERRIN_UNSUPPORTED, "lincomb of " + std::to_string(n) + " tensors; 1 to 16 are possible");
  const at::Tensor& first = unwrap(x[0]);
  if (first.scalar_type() != at::kFloat && first.scalar_type() != at::kDouble)
    throw Fault(PERRIN_UNSUPPORTED, "lincomb of " + shape(first) + "; float32 and float64 are possible");
  for (uint32_t i = 0; i < n; ++i) {
    const at::Tensor& each = unwrap(x[i]);
    if (each.sizes() != first.sizes() || each.scalar_type() != first.scalar_type())
      throw Fault(PERRIN_INVALID_DATA, "lincomb of " + shape(first) + " and " + shape(each));
    if (!each.device().is_cpu()) throw Fault(PERRIN_UNSUPPORTED, "lincomb of a tensor on " + each.device().str());
  }
}

// Without noise any dense layout that all share will do; noise is numbered in contiguous order.
bool share_layout(uint32_t n, perrin_tensor* const* x) {
  const at::Tensor& first = unwrap(x[0]);
  if (!first.is_non_overlapping_and_dense()) return false;
  for (uint32_t i = 1; i < n; ++i)
    if (unwrap(x[i]).strides() != first.strides()) return false;
  return true;
}

template <class T>
at::Tensor combine(uint32_t n, const double* a, perrin_tensor* const* x, const kernels::Noise* noise) {
  const bool as_is = noise == nullptr && share_layout(n, x);
  std::array<at::Tensor, kernels::kMaxTerms> held;
  std::array<kernels::Term<T>, kernels::kMaxTerms> terms;
  for (uint32_t i = 0; i < n; ++i) {
    held[i] = as_is ? unwrap(x[i]) : unwrap(x[i]).contiguous();
    terms[i] = {static_cast<T>(a[i]), held[i].template const_data_ptr<T>()};
  }
  at::Tensor y = at::empty_like(held[0]);
  std::span<T> out(y.template mutable_data_ptr<T>(), static_cast<size_t>(y.numel()));
  kernels::lincomb(std::span<const kernels::Term<T>>(terms.data(), n), noise, out, parallel);
  return y;
}

perrin_status* lincomb(uint32_t n, const double* a, perrin_tensor* const* x, double s, perrin_stream stream,
                       const uint64_t* samples, perrin_tensor** y) {
  return as_status([&] {
    check_terms(n, x);
    const at::Tensor& first = unwrap(x[0]);
    kernels::Noise noise{{stream.seed, stream.purpose, stream.step}, samples, 0, s};
    if (s != 0) {
      if (first.dim() == 0)
        throw Fault(PERRIN_INVALID_DATA, "lincomb with noise of a tensor without a batch dimension");
      noise.elements_per_sample = first.numel() / std::max<int64_t>(first.size(0), 1);
    }
    const auto* with = s == 0 || first.numel() == 0 ? nullptr : &noise;
    *y = wrap(first.scalar_type() == at::kFloat ? combine<float>(n, a, x, with) : combine<double>(n, a, x, with))
             .release();
  });
}

}  // namespace

const perrin_host_lincomb lincomb_table = {sizeof(perrin_host_lincomb), 0, lincomb};

}  // namespace perrin::services
