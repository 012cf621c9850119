// Samples of the data as tensors, and what networks take of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "host/model/call.hpp"
#include "host/model/model.hpp"

namespace perrin::data {

// B samples. Sample b is the dataset's sample indices[b].
struct Batch {
  std::vector<uint64_t> positions;  // [B] position in the run: the sample index of every random number
  std::vector<uint64_t> indices;    // [B] into the dataset
  std::vector<at::Tensor> fields;   // one per field: [B, field shape] in the dataset's dtype
};

// Gives the batch a tensor for each field, of n samples, and says where they lie: what a dataset's read takes.
std::vector<void*> allocate_fields(Batch& batch, const std::vector<perrin_field>& fields, int64_t n);

// The image field as float32 in the model's range, [B, ...].
at::Tensor images(const model::Model& model, const Batch& batch);

// The class of each sample, [B] int64; undefined without classes.
at::Tensor label_of(const model::Model& model, const Batch& batch);

// The same on the host; empty without classes.
std::vector<int64_t> label_values(const model::Model& model, const Batch& batch);

// The dataset's samples first .. first + n - 1, not augmented; behind its last comes its first again.
Batch read_samples(model::Model& model, uint64_t first, int64_t n);

// f(batch, call in evaluation) for the dataset's first `count` samples, batch by batch.
template <class F>
void for_each_samples(model::Model& model, uint64_t count, int64_t batch_size, F&& f) {
  const auto size = static_cast<uint64_t>(batch_size);
  for (uint64_t first = 0; first < count; first += size) {
    const Batch batch = read_samples(model, first, static_cast<int64_t>(std::min(size, count - first)));
    f(batch, model::evaluation_call(model.experiment.seed, batch.indices));
  }
}

}  // namespace perrin::data
