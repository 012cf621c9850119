// The tensors that a stage of each task has for losses (sdk, kind/loss.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "host/run/objective.hpp"
#include "host/run/terms.hpp"

namespace perrin::run {

// Throws Diagnostics, at the loss, for an input that this composition does not have in this stage.
void check_inputs(const Model& model, const config::Loaded& loaded, const config::Stage& stage, const config::Loss& loss,
                  const services::Component& component);

// The shapes of a term's inputs without the batch dimension, of those that have one before training.
std::vector<perrin_spec> input_shapes(const Model& model, const config::Stage& stage,
                                      const services::Component& component);

// What diffusion gives of one forward pass: each made when it is asked for. All are borrowed.
class DiffusionInputs {
 public:
  // x0: [B, ...] where diffusion runs. network: [B, ...] the denoiser's prediction.
  DiffusionInputs(const Model& model, const Batch& batch, const Draw& draw, const at::Tensor& x0, const at::Tensor& network)
      : model_(model), batch_(batch), draw_(draw), x0_(x0), network_(network) {}

  // Undefined for a name that the composition does not have.
  at::Tensor operator[](std::string_view name) const;

 private:
  at::Tensor prediction() const;
  at::Tensor denoised() const;
  template <class F>
  at::Tensor per_sample(F&& value) const;

  const Model& model_;
  const Batch& batch_;
  const Draw& draw_;
  const at::Tensor& x0_;
  const at::Tensor& network_;
};

}  // namespace perrin::run
