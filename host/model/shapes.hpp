// Per-sample shapes on the way through the composition.
#pragma once

#include <perrin/kind/conditioner.h>
#include <perrin/kind/dataset.h>

#include <optional>
#include <string>
#include <vector>

namespace perrin::model {

struct Shapes {
  std::vector<perrin_field> fields;  // of the dataset
  size_t image = 0;                  // which field is "image"
  perrin_spec x{}, z{}, prediction{};
  bool learnt_variance = false;  // prediction is [2 C, ...] where z is [C, ...]: F, then the variance of 2102.09672
  bool logits = false;           // prediction is [K] over the label's classes, of a classifier
  std::optional<perrin_conditioning_spec> conditioning;  // of all conditioners together
  std::vector<std::string> layers;                       // of the extractor
  std::vector<perrin_spec> layer_specs;
};

// "[3, 32, 32]"
std::string shape_text(const perrin_spec& spec);

// The shape of all slots together. Throws Error for shapes that do not fit each other.
perrin_conditioning_spec combined(const std::vector<perrin_conditioning_spec>& specs);

}  // namespace perrin::model
