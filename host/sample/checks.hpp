// What a sampler asks for and what is computed from the components' answers while samples are made: of the right shape, and
// finite, or who is to blame is named. What a component's function gives is looked at where the call returns
// (host/services/contract.hpp).
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/schedule.h>

#include <string>
#include <vector>

#include "host/model/model.hpp"

namespace perrin::sample {

// `what` is its place in a sentence ("the denoised prediction"), `owner` is put before the component's kind ("the
// guide's "). Each throws Error that names the component.
struct Checked {
  const services::Component& by;
  const char* what;
  const char* owner = "";

  // [sizes] float32 on the run's device.
  void shape(const at::Tensor& x, at::IntArrayRef sizes) const;
  void finite(const at::Tensor& x, const perrin_time& at) const;

  [[noreturn]] void refuse(const std::string& fault, const char* fix = kAuthor) const;
  static constexpr const char* kAuthor = "report it to the component's author";
};

// A noise level that a sampler asks for. Throws Error that names it unless 0 <= alpha, sigma < infinity, not both 0.
void check_level(const services::Component& sampler, const perrin_time& at);

}  // namespace perrin::sample
