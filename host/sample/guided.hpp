// The D that samplers see: the guidance's word on what the network says, and the guide's network, under each condition.
#pragma once

#include <map>
#include <optional>

#include "host/sample/predictor.hpp"

namespace perrin::sample {

class Guided {
 public:
  // Both are borrowed.
  Guided(model::Model& model, const Conditions& conditions);

  // D(x) [B, ...] float32 at a noise level; the branches of one model in one call of its network. from, next: of the
  // step list, where the step began and where it leads. first: of a trajectory. Throws Error for branches that cannot
  // be given.
  at::Tensor D(const at::Tensor& x, const perrin_time& at, const perrin_time& from, const perrin_time& next,
               bool first);

  // As Predictor::conditions, the guide's too.
  ConditionTensors conditions() const;

  // As Predictor::variance, of the latest D.
  const at::Tensor& variance() const { return own_.variance(); }

 private:
  uint32_t branches(const perrin_time& at) const;
  at::Tensor of_guide(const at::Tensor& x, const perrin_time& at);
  at::Tensor gradient(const at::Tensor& x, const perrin_time& at) const;

  model::Model& model_;
  const Conditions& conditions_;
  Predictor own_;
  std::optional<Predictor> guide_;
};

}  // namespace perrin::sample
