// The transformer over a text's tokens that CLIP, BERT and GPT share. Their parameters' names differ and are the
// caller's.
#pragma once

#include <perrin/cpp/layers.hpp>

namespace text {

// [..., in] -> [..., out]: weights N(0, deviation^2), biases zero.
class Dense {
 public:
  enum class Bias { none, zeros };
  Dense(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out, double deviation,
        Bias bias = Bias::zeros);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  const at::Tensor* weight_;
  const at::Tensor* bias_ = nullptr;
};

// A table whose rows start at N(0, deviation^2): [...] int64 -> [..., width].
class Table {
 public:
  Table(perrin::Parameters& p, const std::string& name, int64_t rows, int64_t width, double deviation);
  at::Tensor operator()(const at::Tensor& indices) const;
  const at::Tensor& weight() const { return *weight_; }  // [rows, width]

 private:
  const at::Tensor* weight_;
};

// "quick-gelu" is x sigmoid(1.702 x), CLIP's; "gelu" and "gelu-tanh" are exact and approximate (1606.08415, section 2).
at::Tensor activate(const at::Tensor& x, const std::string& activation);

// Where a token may look: at all, at none behind it, or where `allowed` is true ([B, 1, 1 or L, L] bool, or a float
// added to the scores; undefined: everywhere).
struct Mask {
  bool causal = false;
  at::Tensor allowed = {};
};

// softmax(scale q k^T) v per head; scale 0: 1 / sqrt(width / heads). q: [B, L, width], k and v: [B, S, width] -> as q.
// Dense attention is the host's perrin::attention, causal or masked attention LibTorch's.
class Heads {
 public:
  explicit Heads(int64_t heads, double scale = 0);
  at::Tensor operator()(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Mask& mask) const;

 private:
  at::Tensor split(const at::Tensor& x) const;  // [B, L, width] -> [B, heads, L, width / heads]
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<double>);
  int64_t heads_;
  std::optional<double> scale_;
  perrin::HostOperator<Signature> dense_;
};

// What every block of a model has in common.
struct Plan {
  perrin::Parameters& p;
  int64_t width, heads, hidden;  // `hidden`: of the feed-forward
  std::string activation;
  bool post_norm = false;  // normalise after the sum (1706.03762) instead of before the layer (2002.04745)
  double eps = 1e-5;       // of the normalisations
  double qkv = 0.02, out = 0.02, fc1 = 0.02, fc2 = 0.02;  // deviations of the initial weights
};

// Where a block's parameters are, "<prefix><part>.weight" each.
struct Names {
  std::string q, k, v, out, norm1, fc1, fc2, norm2;
};

// Attention, then feed-forward, each beside a residual.
class Block {
 public:
  Block(const Plan& plan, const std::string& prefix, const Names& names);
  at::Tensor operator()(const at::Tensor& x, const Mask& mask) const;  // [B, L, width] -> [B, L, width]

 private:
  at::Tensor attend(const at::Tensor& x, const Mask& mask) const;
  at::Tensor feed(const at::Tensor& x) const;
  bool post_norm_;
  std::string activation_;
  Heads heads_;
  Dense q_, k_, v_, out_;
  perrin::LayerNorm norm1_;
  Dense fc1_, fc2_;
  perrin::LayerNorm norm2_;
};

// Failure(PERRIN_INVALID_CONFIG) unless `heads` divides `width`.
void require_heads(int64_t width, int64_t heads);

}  // namespace text
