// The dataset's first samples, batch by batch.
#pragma once

#include <algorithm>

#include "host/base/error.hpp"
#include "host/data/samples.hpp"
#include "host/evaluate/evaluate.hpp"
#include "host/model/fields.hpp"

namespace perrin::evaluate {

inline int64_t count_of(model::Model& model, const Request& request) {
  const auto all = static_cast<int64_t>(model::dataset_count(model.dataset));
  return request.count > 0 ? std::min(request.count, all) : all;
}

// f(batch, call); an interruption throws Error.
template <class F>
void for_each_batch(model::Model& model, const Request& request, F&& f) {
  const int64_t count = count_of(model, request);
  int64_t done = 0;
  const auto one = [&](const data::Batch& batch, const perrin_call& call) {
    if (request.cancelled && request.cancelled()) throw Error("interrupted", {}, {}, Exit::interrupted);
    f(batch, call);
    done += static_cast<int64_t>(batch.indices.size());
    if (request.progress) request.progress(done, count);
  };
  data::for_each_samples(model, static_cast<uint64_t>(count), request.batch_size, one);
}

}  // namespace perrin::evaluate
