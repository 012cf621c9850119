// The convolutional first stage of latent diffusion (2112.10752, appendix G; CompVis' Encoder and Decoder). Parameter
// names, arithmetic and at `downsample = "conv"`, `upsample = "nearest-conv"` the whole network are those of diffusers'
// AutoencoderKL: DownEncoderBlock2D, UpDecoderBlock2D, AttnDownEncoderBlock2D, AttnUpDecoderBlock2D.
//
// A clip [B, C, T, H, W] goes through as B T images, channels-last; what mixes its frames is the resampling of time.
#pragma once

#include "blocks.hpp"

namespace first_stage {

// One resolution: residual blocks, each followed by attention where the level has it, then the change of resolution.
struct Level {
  std::vector<ResBlock> resnets;
  std::vector<AttentionBlock> attentions;  // none, or one per resnet
  std::optional<Downsample> down, down_time;
  std::optional<Upsample> up, up_time;
};

// Two residual blocks around attention.
struct Middle {
  Middle(Plan& plan, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

  ResBlock first;
  std::optional<AttentionBlock> attention;
  ResBlock last;
};

// x -> h. An image is [B, C, H, W], channels-last; a clip's frames are in B, context.frames of them a sample.
// `height`: of x. Parameters are called name.conv_in.weight and so on.
class EncoderNetwork {
 public:
  EncoderNetwork(Plan& plan, const std::string& name, int64_t in, int64_t out, int64_t height);

  // [B, in, H, W] -> [B, out, H / factor, W / factor], B fewer by settings.time_factor(); so are context.frames.
  at::Tensor operator()(const at::Tensor& x, Context& context) const;

  // Its parts in their order: the first convolution; the levels from `level` on, of an h with channels[max(level - 1,
  // 0)] channels and that level's height; the middle, the last norm and convolution.
  at::Tensor enter(const at::Tensor& x) const;
  at::Tensor descend(const at::Tensor& h, Context& context, size_t level = 0) const;
  at::Tensor leave(const at::Tensor& h, const Context& context) const;

 private:
  perrin::Conv2d conv_in_;
  std::vector<Level> levels_;
  std::optional<Middle> middle_;
  std::optional<perrin::GroupNorm> norm_out_;
  std::optional<perrin::Conv2d> conv_out_;
};

// z -> x, the encoder's mirror image with one more residual block a level. `height`: of x.
class DecoderNetwork {
 public:
  DecoderNetwork(Plan& plan, const std::string& name, int64_t in, int64_t out, int64_t height);

  // [B, in, h, w] -> [B, out, h factor, w factor], B more by settings.time_factor(); so are context.frames.
  at::Tensor operator()(const at::Tensor& z, Context& context) const;

  // Its parts in their order: the first convolution and the middle; the levels from the coarsest to `level`, counted as
  // the encoder's, to an h with channels[level] channels and the height of level max(level - 1, 0); the last norm and
  // convolution, of channels[0] channels.
  at::Tensor enter(const at::Tensor& z, const Context& context) const;
  at::Tensor ascend(const at::Tensor& h, Context& context, size_t level = 0) const;
  at::Tensor leave(const at::Tensor& h) const;

 private:
  perrin::Conv2d conv_in_;
  Middle middle_;
  std::vector<Level> levels_;  // the coarsest first
  std::optional<perrin::GroupNorm> norm_out_;
  std::optional<perrin::Conv2d> conv_out_;
};

}  // namespace first_stage
