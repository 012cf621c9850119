// The block of `dit`: adaLN-zero (2212.09748, section 3.2 and figure 3).
#pragma once

#include "transformer.hpp"

namespace dit {

// Layer normalisation without weights, scaled and shifted: x [B, N, width], shift and scale [B, 1, width].
at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

class Block {
 public:
  // sequence_width 0: no cross-attention.
  Block(const transformer::Plan& plan, const std::string& name, int64_t sequence_width);
  // x: [B, N, width], c: [B, width], sequence: [B, length, sequence_width] or undefined -> [B, N, width].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& c, const at::Tensor& sequence) const;

 private:
  transformer::SelfAttention attention_;
  transformer::FeedForward mlp_;
  transformer::Dense modulation_;
  std::optional<transformer::CrossAttention> cross_;
};

}  // namespace dit
