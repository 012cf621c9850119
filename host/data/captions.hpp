// Which captions of the data conditioners cut.
#pragma once

#include <string>
#include <vector>

#include "host/model/model.hpp"

namespace perrin::data {

// One line for each conditioner that cuts captions of the dataset's first samples, at most `most`: how many, by how
// much.
std::vector<std::string> cut_captions(model::Model& model, int64_t batch_size, uint64_t most = 1000);

}  // namespace perrin::data
