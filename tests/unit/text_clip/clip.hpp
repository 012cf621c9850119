// clip-text as the host holds it, and batches of texts for it.
#pragma once

#include <functional>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

// The keys of `clip-text`; small by default.
struct Clip {
  std::string vocabulary, merges, weights, activation = "quick-gelu", layer = "last", output = "sequence",
                                           null = "empty", field = "caption", tokenizer, cleaning = "transformers",
                                           padding = "end";
  int64_t entries = 0, max_tokens = 16, width = 32, layers = 3, heads = 2, projection = 0;
  double drop = 0.1;
  Values values() const;
};

// What it says of its slots, and its parameters.
struct Built {
  perrin_conditioning_spec spec;
  Bound bound;
};
// Given a dataset with an image, a label and the text field "caption" of 512 bytes.
Built build(const Clip& clip, at::ScalarType dtype = at::kFloat);

// The texts as the field "caption". weights: float32 [B, 512], the field "caption.weight", if defined.
Condition encode(const services::Component& conditioner, const std::vector<std::string>& texts,
                 const std::vector<uint8_t>& drop = {}, const at::Tensor& weights = {},
                 bool training = false);

// A failure's message, empty if there is none.
std::string refusal(const std::function<void()>& f);

}  // namespace perrin::testing
