#include "host/model/fields.hpp"

#include "host/base/error.hpp"

namespace perrin::model {

std::optional<size_t> label_field(const std::vector<perrin_field>& fields) {
  for (size_t f = 0; f < fields.size(); ++f)
    if (fields[f].n_classes > 0) return f;
  return std::nullopt;
}

uint64_t class_count(const std::vector<perrin_field>& fields) {
  const auto label = label_field(fields);
  return label ? fields[*label].n_classes : 0;
}

std::vector<perrin_field> dataset_fields(services::Component& dataset) {
  uint32_t n = 0;
  const perrin_field* fields = nullptr;
  dataset.invoke<&perrin_dataset::fields>(&n, &fields);
  return std::vector<perrin_field>(fields, fields + n);
}

uint64_t dataset_count(services::Component& dataset) {
  uint64_t n = 0;
  dataset.invoke<&perrin_dataset::count>(&n);
  if (n == 0) throw Error("the dataset has no samples", dataset.id(), "point it at data");
  return n;
}

}  // namespace perrin::model
