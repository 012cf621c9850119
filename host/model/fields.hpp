// The fields of a dataset's samples.
#pragma once

#include <perrin/kind/dataset.h>

#include <optional>
#include <vector>

#include "host/services/component.hpp"

namespace perrin::model {

// Which field is the label: the first that has classes. Another one is a condition like any field.
std::optional<size_t> label_field(const std::vector<perrin_field>& fields);

// Classes of the label; 0 without one.
uint64_t class_count(const std::vector<perrin_field>& fields);

std::vector<perrin_field> dataset_fields(services::Component& dataset);

// Samples. Throws Error for none.
uint64_t dataset_count(services::Component& dataset);

}  // namespace perrin::model
