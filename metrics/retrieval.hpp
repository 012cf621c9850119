// Search by similarity, as CLIP's evaluations do (2103.00020, section 3.1 and appendix E).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace perrin::metrics {

// Fraction of rows whose greatest entry is at their label: [B, K], [B] int64.
double top1(const at::Tensor& scores, const at::Tensor& labels);

// Recall at k of queries against items: the fraction of queries among whose k most similar items one is of the query's own
// kind. queries: [Q, W], items: [N, W], of any length, compared by cosine; kinds int64 [Q] and [N]. A query without an
// item of its kind counts as missed. k is cut to N.
double recall_at(int64_t k, const at::Tensor& queries, const at::Tensor& items, const at::Tensor& query_kinds,
                 const at::Tensor& item_kinds);

// Rows of unit length; a row of zeros stays.
at::Tensor unit_rows(const at::Tensor& x);

}  // namespace perrin::metrics
