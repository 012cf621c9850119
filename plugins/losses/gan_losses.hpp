// What the two players of an adversarial loss minimise, and what holds the second one smooth.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softplus.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

namespace losses {

enum class Objective { hinge, vanilla, non_saturating, wasserstein };

// The generator's loss of its samples' logits. Any shape, elementwise.
//   hinge           -D                      1705.02894 Eq. 4
//   vanilla,
//   non-saturating  softplus(-D) = -log of the probability that they are real: 1406.2661, section 3
//   wasserstein     -D                      1701.07875, algorithm 1
inline at::Tensor of_generator(Objective objective, const at::Tensor& D) {
  const bool probability = objective == Objective::vanilla || objective == Objective::non_saturating;
  return probability ? at::softplus(-D) : -D;
}

// The discriminator's loss of the data's logits, and of the samples': elementwise. Hinge: 1705.02894 Eq. 3.
inline at::Tensor of_real(Objective objective, const at::Tensor& D) {
  if (objective == Objective::hinge) return at::relu(1 - D);
  return objective == Objective::wasserstein ? -D : at::softplus(-D);
}
inline at::Tensor of_fake(Objective objective, const at::Tensor& D) {
  if (objective == Objective::hinge) return at::relu(1 + D);
  return objective == Objective::wasserstein ? D : at::softplus(D);
}

// Of their sum: half for hinge and vanilla as taming-transformers, latent diffusion and pix2pix have them, all of it
// for non-saturating as StyleGAN has it, and for wasserstein.
inline double share(Objective objective) {
  return objective == Objective::hinge || objective == Objective::vanilla ? 0.5 : 1;
}

// Mean over the patches: [B, 1, h, w] -> [B].
inline at::Tensor score(const at::Tensor& logits) { return logits.flatten(1).mean(1); }

using Critic = std::function<at::Tensor(const at::Tensor&)>;  // [B, ...] -> [B], each of its own sample alone

// ||d critic(x) / dx||^2 of each sample, [B], differentiable in the critic's parameters.
inline at::Tensor squared_slope(const Critic& critic, const at::Tensor& x) {
  const at::AutoGradMode recording(true);
  const at::Tensor leaf = x.detach().set_requires_grad(true);
  const at::Tensor slope = torch::autograd::grad({critic(leaf).sum()}, {leaf}, {}, true, true)[0];
  return slope.flatten(1).square().sum(1);
}

// (||d critic(x) / dx|| - 1)^2, [B]: 1704.00028 Eq. 3, without lambda. The root is kept off 0, where it has no slope.
inline at::Tensor gradient_penalty(const Critic& critic, const at::Tensor& x) {
  return ((squared_slope(critic, x) + 1e-12).sqrt() - 1).square();
}

// clamp(||d terms / d last|| / (||d own / d last|| + 1e-4), 0, 1e4): 2012.09841 Eq. 7. Both scalars keep their graphs.
inline at::Tensor adaptive_weight(const at::Tensor& terms, const at::Tensor& own, const at::Tensor& last_layer) {
  const auto pull = [&](const at::Tensor& loss) {
    return torch::autograd::grad({loss}, {last_layer}, {}, true, false)[0].norm();
  };
  return (pull(terms) / (pull(own) + 1e-4)).clamp(0, 1e4);
}

}  // namespace losses
