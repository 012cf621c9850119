// Transformer blocks on the pixels of an image, as in latent diffusion (2112.10752, appendix E.2.1): self-attention,
// cross-attention to the sequence, and a gated feed-forward, each on the layer norm of its input and added to it.
#pragma once

#include <variant>

#include "unet_settings.hpp"

namespace unet {

class TransformerBlock {
 public:
  TransformerBlock(Plan& plan, const std::string& name, int64_t channels, int64_t heads);
  // t: [B, H W, C], sequence: [B, length, width] or undefined -> [B, H W, C].
  at::Tensor operator()(at::Tensor t, const at::Tensor& sequence) const;

 private:
  struct Cross {
    perrin::LayerNorm norm;
    perrin::Linear q, kv, out;
  };
  at::Tensor self(const at::Tensor& t) const;
  at::Tensor cross(const at::Tensor& t, const at::Tensor& sequence) const;
  at::Tensor feed_forward(const at::Tensor& t) const;

  perrin::Attention attention_;
  perrin::LayerNorm norm1_;
  perrin::Linear qkv_, out_;
  std::optional<Cross> cross_;
  perrin::LayerNorm norm3_;
  perrin::Linear widen_, narrow_;
};

// Normalises, projects, runs the blocks, projects back and adds the input.
class Transformer {
 public:
  Transformer(Plan& plan, const std::string& name, int64_t channels, int64_t depth);
  // x: [B, C, H, W] -> [B, C, H, W].
  at::Tensor operator()(const at::Tensor& x, const Context& context) const;

 private:
  using Projection = std::variant<perrin::Conv2d, perrin::Linear>;
  static Projection projection(Plan& plan, const std::string& name, int64_t channels);
  static at::Tensor project(const Projection& projection, const at::Tensor& x);

  perrin::GroupNorm norm_;
  Projection in_;
  std::vector<TransformerBlock> blocks_;
  Projection out_;
};

}  // namespace unet
