// The dataset's first samples, batch by batch.
#pragma once

#include <algorithm>

#include "host/base/error.hpp"
#include "host/evaluate/evaluate.hpp"
#include "host/run/objective.hpp"

namespace perrin::evaluate {

inline int64_t count_of(run::Model& model, const Request& request) {
  const auto all = static_cast<int64_t>(run::dataset_count(model.dataset));
  return request.count > 0 ? std::min(request.count, all) : all;
}

// f(batch, call); an interruption throws Error.
template <class F>
void for_each_batch(run::Model& model, const Request& request, F&& f) {
  const int64_t count = count_of(model, request);
  for (int64_t first = 0; first < count; first += request.batch_size) {
    if (request.cancelled && request.cancelled()) throw Error("interrupted", {}, {}, Exit::interrupted);
    const run::Batch batch =
        run::read_samples(model, static_cast<uint64_t>(first), std::min(request.batch_size, count - first));
    f(batch, run::evaluation_call(model.experiment.seed, batch.indices));
    if (request.progress) request.progress(std::min(first + request.batch_size, count), count);
  }
}

}  // namespace perrin::evaluate
