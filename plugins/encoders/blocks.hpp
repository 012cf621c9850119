// The first stage's building blocks: diffusers' ResnetBlock2D without a time embedding, and its single-head Attention.
#pragma once

#include "settings.hpp"

namespace first_stage {

constexpr double kEps = 1e-6;  // of every group normalisation, as CompVis has it

// x + f(x), f two convolutions, each after normalisation and SiLU. In training f is left out of a sample with
// probability `stochastic_depth`, and divided by 1 - that otherwise (1603.09382, equation 2, at the rate of
// torchvision).
class ResBlock {
 public:
  ResBlock(Plan& plan, const std::string& name, int64_t in, int64_t out);
  // x: [B, in, H, W] -> [B, out, H, W].
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

 private:
  double depth_;
  perrin::GroupNorm norm1_;
  perrin::Conv2d conv1_;
  perrin::GroupNorm norm2_;
  perrin::Dropout dropout_, drop_path_;
  perrin::Conv2d conv2_;
  std::optional<perrin::Conv2d> shortcut_;
};

// x + attention of one head over the pixels.
class AttentionBlock {
 public:
  AttentionBlock(Plan& plan, const std::string& name, int64_t channels);
  // x: [B, C, H, W] -> [B, C, H, W].
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

 private:
  at::Tensor body(const at::Tensor& x) const;

  perrin::Attention attention_{1};
  perrin::GroupNorm norm_;
  perrin::Linear q_, k_, v_, out_;
};

}  // namespace first_stage
