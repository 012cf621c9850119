// The tensors that losses may ask for (perrin.loss-inputs/1): one table for each task, one row for each name.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "host/model/fields.hpp"
#include "host/model/model.hpp"

namespace perrin::train {

// Why a composition does not have a tensor, and what to do.
struct Missing {
  std::string why, fix;
};

// `Pass`: what one forward pass of the task has computed.
template <class Pass>
struct Given {
  std::string_view name;
  at::Tensor (*value)(const Pass& pass);
  std::optional<Missing> (*missing)(const model::Model& model) = nullptr;  // null: every composition has it
  const perrin_spec* (*shape)(const model::Model& model) = nullptr;        // of one sample; null: none before training
};

// What is known of a name before training.
struct Known {
  std::optional<Missing> missing;
  const perrin_spec* shape = nullptr;
};

template <class Table>
auto find_row(const Table& table, std::string_view name) {
  const auto row = std::ranges::find_if(table, [&](const auto& given) { return given.name == name; });
  return row == std::end(table) ? nullptr : &*row;
}

template <class Row>
Known known_of(const Row& row, const model::Model& model) {
  Known known{row.missing ? row.missing(model) : std::nullopt, nullptr};
  if (!known.missing && row.shape) known.shape = row.shape(model);
  return known;
}

// Of "label", in every task.
inline std::optional<Missing> missing_label(const model::Model& model) {
  if (model::class_count(model.shapes.fields) > 0) return std::nullopt;
  return Missing{"the dataset has no classes", "choose a dataset with a label"};
}

}  // namespace perrin::train
