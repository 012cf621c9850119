// The blocks of `edm2-unet` (2312.02696, figure 21, config G).
#pragma once

#include "edm2_layers.hpp"

namespace edm2 {

// What every block needs to know.
struct Plan {
  perrin::Parameters& p;
  int64_t embedding;      // width of the embedding of time and condition
  int64_t head_channels;  // of an attention head; at most the block's channels
  double dropout;         // probability, before a block's last convolution
  uint64_t dropouts = 0;  // so far
};

enum class Side { encoder, decoder };
enum class Resample { keep, down, up };  // by the mean of 2 x 2, or by doubling

// Cosine attention over the pixels: queries, keys and values of unit magnitude per head.
class CosineAttention {
 public:
  CosineAttention(const Plan& plan, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, C, H, W] -> [B, C, H, W]

 private:
  int64_t heads_;
  perrin::Attention attention_;
  MpConv qkv_, out_;
};

// Residual block, its hidden channels scaled by the embedding, then attention if asked for.
class Block {
 public:
  struct Shape {
    int64_t in, out;
    Side side;
    Resample resample = Resample::keep;
    bool attention = false;
  };
  Block(Plan& plan, const std::string& name, const Shape& shape);
  // x: [B, in, H, W], embedding: [B, embedding] -> [B, out, H', W']. draws null: nothing is dropped.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding, const perrin::Draws* draws) const;

 private:
  Shape shape_;
  const at::Tensor* gain_;
  MpConv conv_1_;
  MpLinear embedding_;
  perrin::Dropout dropout_;
  MpConv conv_2_;
  std::optional<MpConv> skip_;
  std::optional<CosineAttention> attention_;
};

}  // namespace edm2
