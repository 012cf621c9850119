// What components give while samples are made: of the right shape, and finite, or the one that gave it is named.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/schedule.h>

#include <string>
#include <vector>

#include "host/run/model.hpp"

namespace perrin::sample {

// One pass over x.
bool is_finite(const at::Tensor& x);

// The shape of a batch of n samples of this kind.
std::vector<int64_t> batch_sizes(const perrin_spec& spec, int64_t n);

// A component's tensor: `what` is its place in a sentence ("the guided prediction"), `owner` is put before the
// component's kind ("the guide's "). Each throws Error that names the component.
struct Given {
  const services::Component& by;
  const char* what;
  const char* owner = "";

  // [sizes] float32 on the run's device; `reduced`: or another floating-point type.
  void check_shape(const at::Tensor& x, at::IntArrayRef sizes, bool reduced = false) const;
  void check_finite(const at::Tensor& x, const perrin_time* at = nullptr) const;

  [[noreturn]] void refuse(const std::string& fault, const char* fix = kAuthor) const;
  static constexpr const char* kAuthor = "report it to the component's author";
};

// What the encoder decoded, [n, ...] float32, on the CPU.
at::Tensor checked_images(const run::Model& model, const at::Tensor& x, int64_t n);

// A noise level that a sampler asks for. Throws Error that names it unless 0 <= alpha, sigma < infinity, not both 0.
void check_level(const services::Component& sampler, const perrin_time& at);

}  // namespace perrin::sample
