// The tensors that a loss is given: prediction and target, or what it names by perrin.loss-inputs/1 (sdk, kind/loss.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "host/run/objective.hpp"

namespace perrin::run {

std::vector<std::string_view> inputs_of(const services::Component& loss);
bool takes(const services::Component& loss, std::string_view name);

// Does the weighting leave its values alone?
bool unweighted(const services::Component& loss);

// Throws Diagnostics, at the loss, for an input that this composition does not have.
void check_inputs(const Model& model, const config::Loaded& loaded, const config::Loss& loss,
                  const services::Component& component);

// What kind/loss.h lists, of one forward pass: each made when it is asked for. All are borrowed.
class LossInputs {
 public:
  // x0: [B, ...] where diffusion runs. network: [B, ...] the denoiser's prediction.
  LossInputs(const Model& model, const Batch& batch, const Draw& draw, const at::Tensor& x0, const at::Tensor& network)
      : model_(model), batch_(batch), draw_(draw), x0_(x0), network_(network) {}

  // Throws Error for a name that check_inputs refuses.
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
