// A loss by itself. The service perrin.extractor/1 that it sees is the test's: an extractor is a function from images
// to layers, so that a loss's own arithmetic is known to the last bit.
#pragma once

#include <functional>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

struct Double {
  std::vector<std::string> names;
  std::vector<std::vector<int64_t>> sizes;  // without the batch dimension
  std::function<std::vector<at::Tensor>(const at::Tensor& x)> layers;
  // What the host service was last asked.
  std::string use, weights;
  std::vector<int64_t> x;
  std::vector<uint32_t> wanted;
  bool training = false;
  int opened = 0, closed = 0;
};
// What losses see from now on; it must outlive them.
void stand_in(Double& extractor);
// Losses see the host's service from now on, with the built-in extractors.
void stand_back();

// Component `id` of the built losses, with `values` over the defaults of its schema.
services::Component held(const std::string& id, Values values = {});

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;
struct Moment {
  bool training = true;
  uint32_t stage_step = 0;
  bool bf16 = false;  // under autocast, as in a stage of that precision
};
// [B]
at::Tensor values_of(const services::Component& loss, const Tensors& inputs, Moment moment = {});

// Shapes without the batch dimension.
void infer(const services::Component& loss, const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes);

// What the loss traced in its latest call.
std::vector<double> traced(const services::Component& loss);

// What `f` throws, or nothing.
std::string message(const std::function<void()>& f);

}  // namespace perrin::testing
