#include "metrics/retrieval.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <tuple>

namespace perrin::metrics {

double top1(const at::Tensor& scores, const at::Tensor& labels) {
  return scores.argmax(1).eq(labels.to(scores.device())).to(at::kDouble).mean().item<double>();
}

double recall_at(int64_t k, const at::Tensor& queries, const at::Tensor& items, const at::Tensor& query_kinds,
                 const at::Tensor& item_kinds) {
  const at::Tensor similarity = unit_rows(queries).matmul(unit_rows(items).t());  // [Q, N]
  const at::Tensor nearest = std::get<1>(similarity.topk(std::min(k, items.size(0)), 1));
  const at::Tensor found = item_kinds.index_select(0, nearest.flatten()).view_as(nearest);
  return found.eq(query_kinds.unsqueeze(1)).any(1).to(at::kDouble).mean().item<double>();
}

at::Tensor unit_rows(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, {1}, true).clamp_min(1e-12);
}

}  // namespace perrin::metrics
