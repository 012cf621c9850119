// Differentiable augmentation of what a discriminator sees (2006.10738).
#pragma once

#include <perrin/host/rng.h>

#include <perrin/cpp/torch.hpp>
#include <string>
#include <vector>

namespace losses {

class DiffAugment {
 public:
  // Of "colour", "translation" and "cutout", applied in that order.
  explicit DiffAugment(const std::vector<std::string>& kinds);

  // Two calls of one step that see other images: the draws are independent, as in the paper's code.
  enum class Of { fake = 1, real = 2 };
  // x: [B, C, H, W] -> the same. What a sample gets is a function of (call.seed, call.step, its position, `of`).
  at::Tensor operator()(const at::Tensor& x, const perrin_call& call, Of of) const;

 private:
  at::Tensor draws(const at::Tensor& x, const perrin_call& call, Of of) const;

  const perrin_host_rng* rng_;
  bool colour_ = false, translation_ = false, cutout_ = false;
};

}  // namespace losses
