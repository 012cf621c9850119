// The U-Net's building blocks. Parameter names and arithmetic are those of diffusers' UNet2DModel and
// UNet2DConditionModel, so that weights can travel; `to_qkv` there is three tensors, `to_kv` two.
#pragma once

#include <variant>

#include "unet_transformer.hpp"

namespace unet {

// Residual block: the time embedding is added between its convolutions (2006.11239, appendix B), or scales and shifts
// the normalisation there (2105.05233, section 3).
class ResBlock {
 public:
  ResBlock(Plan& plan, const std::string& name, int64_t in, int64_t out);
  // x: [B, in, H, W] -> [B, out, H, W].
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

 private:
  at::Tensor body(const at::Tensor& x, const at::Tensor& time, const perrin::Draws* draws) const;
  at::Tensor modulated(const at::Tensor& h, const at::Tensor& time) const;

  bool scale_shift_;
  perrin::GroupNorm norm1_;
  perrin::Conv2d conv1_;
  perrin::Linear time_;
  perrin::GroupNorm norm2_;
  perrin::Dropout dropout_;
  perrin::Conv2d conv2_;
  std::optional<perrin::Conv2d> shortcut_;
};

// Self-attention over the pixels, then cross-attention to the sequence if there is one; each added to its input.
class AttentionBlock {
 public:
  AttentionBlock(Plan& plan, const std::string& name, int64_t channels);
  // x: [B, C, H, W] -> [B, C, H, W].
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

 private:
  struct Cross {
    perrin::GroupNorm norm;
    perrin::Linear q, kv, out;
  };
  at::Tensor self(const at::Tensor& x) const;
  at::Tensor cross(const at::Tensor& x, const at::Tensor& sequence) const;

  perrin::Attention attention_;
  perrin::GroupNorm norm_;
  perrin::Linear qkv_, out_;
  std::optional<Cross> cross_;
};

// What follows a residual block where there is attention: depth 0 plain, else that many transformer blocks.
using Attending = std::variant<AttentionBlock, Transformer>;
Attending attending(Plan& plan, const std::string& name, int64_t channels, int64_t depth);
at::Tensor attend(const Attending& block, const at::Tensor& x, const Context& context);

// A convolution of stride two: [B, C, H, W] -> [B, C, H / 2, W / 2].
class Halving {
 public:
  Halving(Plan& plan, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::optional<perrin::Conv2d> padded_;            // on all sides
  std::optional<perrin::detail::WeightBias> bare_;  // below and on the right
};

// One resolution: residual blocks, each followed by attention where the level has it, then the change of resolution.
struct Level {
  std::vector<ResBlock> resnets;
  std::vector<Attending> attentions;  // none, or one per resnet
  std::optional<Halving> down;
  std::optional<perrin::Conv2d> up;  // after doubling
};

// Nearest-neighbour doubling: [B, C, H, W] -> [B, C, 2H, 2W].
at::Tensor doubled(const at::Tensor& x);

}  // namespace unet
