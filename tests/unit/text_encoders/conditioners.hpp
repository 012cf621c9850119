// The conditioners as the host holds them, and batches for them.
#pragma once

#include <functional>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

// The files of tests/golden/text_encoders/data.
std::string data(const std::string& file);

// Every key of a component: its defaults here are small, `more` overrides them.
Values with(Values values, const Values& more);
Values text_transformer(const Values& more = {});
Values bert(const Values& more = {});
Values gpt(const Values& more = {});
Values t5(const Values& more = {});
Values image(const std::string& task, const Values& more = {});
Values vector(const Values& more = {});

// After infer with a dataset of an image [3, 12, 8] of bytes, a caption of 2048 bytes, a score, a place [2], and a label
// of 5 classes.
struct Conditioner {
  perrin_conditioning_spec spec;
  Bound bound;
};
Conditioner conditioner(services::Component component, at::ScalarType dtype = at::kFloat);
Conditioner conditioner(const std::string& id, const Values& values, at::ScalarType dtype = at::kFloat);

// The fields of a batch by name, and what its samples are.
using Named = std::vector<std::pair<std::string, at::Tensor>>;
struct Asked {
  std::vector<uint8_t> drop;      // [B]; empty: nowhere
  std::vector<uint64_t> samples;  // [B]; empty: 0, 1, ...
  uint64_t seed = 0;
  bool training = false;
};
Condition encode(const services::Component& component, const Named& fields, const Asked& asked = {});
// perrin.text-lengths/1.
struct Lengths {
  uint64_t limit = 0;
  std::vector<uint64_t> tokens;  // [B]
};
Lengths text_lengths(const services::Component& component, const Named& fields);
// Texts as uint8 [B, 2048].
at::Tensor captions(const std::vector<std::string>& texts);
// The numbers of the condition are finite and have the shapes that infer said.
void expect_shapes(const Condition& condition, const perrin_conditioning_spec& spec, int64_t n);

// A failure's message, "accepted" without one.
std::string refused(const std::function<void()>& f);

// perrin.conditioner-fit/1 and perrin.state/1.
uint64_t fit(const services::Component& component, const std::vector<std::vector<std::string>>& batches);
std::vector<uint8_t> state(const services::Component& component);
void restore(const services::Component& component, const std::vector<uint8_t>& bytes);

}  // namespace perrin::testing
