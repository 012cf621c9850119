// What samples are conditioned on beside their class: the other fields of the dataset, given by prompts, by files or by
// samples of the dataset.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "host/model/model.hpp"

namespace perrin::sample {

struct FieldValues {
  std::map<size_t, at::Tensor> fields;      // by place in Shapes::fields: [n, ...] in the field's dtype
  std::map<std::string, at::Tensor> extra;  // what stands beside fields: "caption.weight" [n, bytes] float32

  bool empty() const { return fields.empty(); }
  FieldValues narrow(int64_t first, int64_t n) const;
};

// What conditioners made, by name: "conditional.sequence", "unconditional.vector", "negative.concat"; behind "guide." those
// of a guidance's other model. One that came out otherwise where other branches were encoded with it has their names
// behind it: "conditional.sequence/conditional+unconditional". [n, ...]
using ConditionTensors = std::map<std::string, at::Tensor>;

// One prompt (prompt.hpp) for each of n samples, in every text field of the dataset (kind/conditioner.h). Throws Error
// without one.
FieldValues prompt_fields(const model::Model& model, const std::vector<std::string>& prompts);

// One line for each of them, without repeats, that a conditioner cuts: by how much, and which words are lost. The model's
// conditioners are fit.
std::vector<std::string> cut_prompts(model::Model& model, const std::vector<std::string>& prompts);

// Throws Diagnostics where the experiment's own prompts could not be sampled.
void check_prompts(const model::Model& model, const config::Loaded& loaded);

// Does a conditioner need more than classes?
bool needs_fields(const model::Model& model);

// Samples of the dataset that the grid of a run shows conditions of; 0: none.
int64_t grid_rows(const model::Model& model, const config::Samples& samples, int64_t count = 0);

// What the grid of a run is conditioned on, classes apart: [samples] prompts, one a row and over again; without them the
// fields of the dataset's samples, one a row. `count`: of samples, 0 for the grid's own.
FieldValues grid_conditions(model::Model& model, const config::Samples& samples, int64_t count = 0);

}  // namespace perrin::sample
