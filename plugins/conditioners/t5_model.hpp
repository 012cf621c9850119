// The layers of T5's encoder (1910.10683, section 2.1): no biases, root mean square norms, relative positions.
#pragma once

#include "text_model.hpp"

namespace text {

// x / sqrt(mean(x^2) + 1e-6) * weight (1910.07467, equation 4). [..., width] -> [..., width]
class RmsNorm {
 public:
  RmsNorm(perrin::Parameters& p, const std::string& name, int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  int64_t width_;
  const at::Tensor* weight_;
};

struct T5Plan {
  perrin::Parameters& p;
  int64_t width, heads, head_width, hidden;
  bool gated;  // gelu(W_0 x) * W_1 x (2002.05202, section 2) instead of relu(W x)
};

class T5Block {
 public:
  T5Block(const T5Plan& plan, const std::string& prefix);
  // x: [B, L, width], bias: [B, heads, L, L] added to the scores -> [B, L, width].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& bias) const;

 private:
  at::Tensor feed(const at::Tensor& x) const;
  RmsNorm norm1_;
  Dense q_, k_, v_, out_;
  Heads heads_;
  RmsNorm norm2_;
  std::optional<Dense> gate_;
  Dense in_, out2_;
};

// The bucket of each distance key - query: half of the buckets for either direction, of which one half are one distance
// each and the others grow with its logarithm up to `furthest`. -> [length, length] int64.
at::Tensor relative_buckets(int64_t length, int64_t buckets, int64_t furthest);

}  // namespace text
