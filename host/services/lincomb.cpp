// y = sum_i a_i x_i + s * noise for plugins: the kernel on the tensors in their boxes.
#include <ATen/core/Tensor.h>

#include <vector>

#include "host/kernels/tensors.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

std::string shape(const at::Tensor& x) {
  return c10::str(x.scalar_type(), " ", x.sizes(), x.device().is_cpu() ? "" : " on " + x.device().str());
}

void check_terms(std::span<const at::Tensor> x) {
  if (x.empty() || x.size() > 16)
    throw Fault(PERRIN_UNSUPPORTED, "lincomb of " + std::to_string(x.size()) + " tensors; 1 to 16 are possible");
  if (x[0].scalar_type() != at::kFloat && x[0].scalar_type() != at::kDouble)
    throw Fault(PERRIN_UNSUPPORTED, "lincomb of " + shape(x[0]) + "; float32 and float64 are possible");
  for (const at::Tensor& each : x)
    if (each.sizes() != x[0].sizes() || each.scalar_type() != x[0].scalar_type() || each.device() != x[0].device())
      throw Fault(PERRIN_INVALID_DATA, "lincomb of " + shape(x[0]) + " and " + shape(each));
}

perrin_status* lincomb(uint32_t n, const double* a, perrin_tensor* const* x, double s, perrin_stream stream,
                       const uint64_t* samples, perrin_tensor** y) {
  return as_status([&] {
    std::vector<at::Tensor> terms;
    for (uint32_t i = 0; i < n; ++i) terms.push_back(unwrap(x[i]));
    check_terms(terms);
    if (s != 0 && terms[0].dim() == 0)
      throw Fault(PERRIN_INVALID_DATA, "lincomb with noise of a tensor without a batch dimension");
    const size_t rows = s == 0 ? 0 : static_cast<size_t>(terms[0].size(0));
    *y = lend(wrap(kernels::lincomb(terms, {a, n}, s, {{stream.seed, stream.purpose, stream.step}, {samples, rows}})));
  });
}

}  // namespace

const perrin_host_lincomb lincomb_table = {sizeof(perrin_host_lincomb), 0, lincomb};

}  // namespace perrin::services
