// The U-Net's building blocks. Parameter names and arithmetic are those of diffusers' UNet2DModel, so that weights can
// travel; `to_qkv` there is three tensors.
#pragma once

#include <perrin/cpp/layers.hpp>

namespace unet {

// What every block needs to know.
struct Plan {
  perrin::Parameters& p;
  int64_t groups;
  int64_t head_channels;  // of an attention head; at most the block's channels
  int64_t time_width;
  int64_t sequence_width;  // of the sequence condition; 0: none
};

// Residual block with the time embedding added between its convolutions (2006.11239, appendix B).
class ResBlock {
 public:
  ResBlock(const Plan& plan, const std::string& name, int64_t in, int64_t out);
  // x: [B, in, H, W], time: silu of the embedding, [B, time_width] -> [B, out, H, W].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time) const;

 private:
  perrin::GroupNorm norm1_;
  perrin::Conv2d conv1_;
  perrin::Linear time_;
  perrin::GroupNorm norm2_;
  perrin::Conv2d conv2_;
  std::optional<perrin::Conv2d> shortcut_;
};

// Self-attention over the pixels, then cross-attention to the sequence if there is one; each added to its input.
class AttentionBlock {
 public:
  AttentionBlock(const Plan& plan, const std::string& name, int64_t channels);
  // x: [B, C, H, W], sequence: [B, length, width] or undefined -> [B, C, H, W].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& sequence) const;

 private:
  struct Cross {
    perrin::GroupNorm norm;
    perrin::Linear q, kv, out;
  };
  at::Tensor cross(const at::Tensor& x, const at::Tensor& sequence) const;

  perrin::Attention attention_;
  perrin::GroupNorm norm_;
  perrin::Linear qkv_, out_;
  std::optional<Cross> cross_;
};

// One resolution: residual blocks, each followed by attention where the level has it, then the change of resolution.
struct Level {
  std::vector<ResBlock> resnets;
  std::vector<AttentionBlock> attentions;  // none, or one per resnet
  std::optional<perrin::Conv2d> resample;  // a stride of two going down; after doubling, going up
};

// Nearest-neighbour doubling: [B, C, H, W] -> [B, C, 2H, 2W].
at::Tensor doubled(const at::Tensor& x);

}  // namespace unet
