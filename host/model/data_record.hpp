// What sampling needs of the data that a model was trained on; runs/data_record.hpp keeps it in the run's folder.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/dataset.h>

#include <deque>
#include <string>
#include <vector>

namespace perrin::model {

struct DataRecord {
  std::deque<std::string> names;     // what the fields' texts point to
  std::vector<perrin_field> fields;  // of the dataset
  uint64_t count = 0;                // of its samples
  std::vector<at::Tensor> first;     // of each field [n, ...]: the first n samples; n may be 0
};

}  // namespace perrin::model
