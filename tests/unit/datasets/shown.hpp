// Samples of any dataset with all their fields.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {

// Samples with their fields by name. Images lie one after another.
struct Shown {
  std::vector<uint8_t> image;
  std::map<std::string, std::vector<int64_t>> truth;
  std::vector<std::string> caption;
};

inline uint64_t values_of(const perrin_field& field) {
  uint64_t n = 1;
  for (uint32_t i = 0; i < field.spec.rank; ++i) n *= static_cast<uint64_t>(field.spec.sizes[i]);
  return n;
}

inline Shown read_shown(const services::Component& dataset, const std::vector<uint64_t>& indices) {
  Shown shown;
  std::vector<uint8_t> captions;
  std::vector<void*> buffers;
  size_t bytes = 0;
  for (const perrin_field& field : fields_of(dataset)) {
    const std::string name = name_of(field);
    const size_t n = values_of(field) * indices.size();
    if (name == "image") shown.image.resize(n, 7), buffers.push_back(shown.image.data());
    if (name == "caption") captions.resize(n, 7), buffers.push_back(captions.data()), bytes = values_of(field);
    if (field.n_classes > 0) shown.truth[name].resize(n), buffers.push_back(shown.truth[name].data());
  }
  dataset.invoke<&perrin_dataset::read>(uint64_t{indices.size()}, indices.data(), buffers.data());
  for (size_t i = 0; i < captions.size(); i += bytes) {
    const auto end = captions.begin() + static_cast<std::ptrdiff_t>(i + bytes);
    const auto zero = std::find(captions.begin() + static_cast<std::ptrdiff_t>(i), end, 0);
    EXPECT_TRUE(std::all_of(zero, end, [](uint8_t c) { return c == 0; }));
    shown.caption.emplace_back(captions.begin() + static_cast<std::ptrdiff_t>(i), zero);
  }
  return shown;
}

inline std::vector<uint64_t> first_indices(uint64_t n) {
  std::vector<uint64_t> indices(n);
  for (uint64_t i = 0; i < n; ++i) indices[i] = i;
  return indices;
}

}  // namespace perrin::testing
