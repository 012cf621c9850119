// Which classes samples are asked for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/sample/conditions.hpp"

namespace perrin::sample {

struct Classes {
  std::optional<int64_t> label;      // of the dataset's first label, which guidance and pictures go by
  std::map<size_t, int64_t> others;  // of its other labels, by place in Shapes::fields
};

// Each "N", of the first label, or "FIELD=N". Throws Error for what the run cannot be asked for.
Classes parse_classes(const model::Model& model, const std::vector<std::string>& texts);

// Class of each of `count` grid cells: the chosen one, or one per row of `columns`. Empty without labels.
std::vector<int64_t> grid_labels(const model::Model& model, int64_t count, int64_t columns, const Classes& chosen = {});

// The other labels of `count` samples, in place of those that stand there.
void set_others(const Classes& chosen, int64_t count, FieldValues& given);

}  // namespace perrin::sample
