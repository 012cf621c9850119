// What the transformers dit and uvit share: patches, attention and feed-forward over tokens [B, N, width].
#pragma once

#include <perrin/cpp/layers.hpp>

namespace transformer {

// Initial weights of a linear layer.
using InitOf = perrin::Init (*)(int64_t in, int64_t out);
perrin::Init xavier(int64_t in, int64_t out);      // U(-a, a), a = sqrt(6 / (in + out)) (Glorot and Bengio 2010)
perrin::Init normal_002(int64_t in, int64_t out);  // N(0, 0.02^2)
perrin::Init zeros(int64_t in, int64_t out);

// [..., in] -> [..., out]; biases start from zero.
class Dense {
 public:
  enum class Bias { none, zeros };
  Dense(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out, InitOf init, Bias bias = Bias::zeros);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  const at::Tensor* weight_;
  const at::Tensor* bias_ = nullptr;
};

// What every block needs to know.
struct Plan {
  perrin::Parameters& p;
  int64_t width, heads, hidden;  // `hidden`: of the feed-forward
  InitOf init;
  Dense::Bias qkv_bias;
  const char* gelu;  // "none": exact, "tanh": approximate (1606.08415)
};

// `size` x `size` pixels of every channel -> one token (2010.11929, equation 1), as a convolution of that stride.
class PatchEmbedding {
 public:
  PatchEmbedding(perrin::Parameters& p, const std::string& name, int64_t channels, int64_t size, int64_t width,
                 perrin::Init weight, perrin::Init bias);
  // [B, C, H, W] -> [B, H W / size^2, width].
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  int64_t size_;
  const at::Tensor* weight_;
  const at::Tensor* bias_;
};

// The inverse order: [B, N, size size C] -> [B, C, H, W], height and width of `like`.
at::Tensor image(const at::Tensor& tokens, int64_t size, const at::Tensor& like);

// Multi-head attention of the tokens to each other (1706.03762, section 3.2).
class SelfAttention {
 public:
  SelfAttention(const Plan& plan, const std::string& name);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, N, width] -> [B, N, width]

 private:
  perrin::Attention attention_;
  Dense qkv_, out_;
};

// Multi-head attention of the tokens to a sequence. The output projection starts from zero: a new block leaves its
// input alone.
class CrossAttention {
 public:
  CrossAttention(const Plan& plan, const std::string& name, int64_t sequence_width);
  // x: [B, N, width], sequence: [B, length, sequence_width] -> [B, N, width].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& sequence) const;

 private:
  perrin::Attention attention_;
  Dense q_, kv_, out_;
};

// W2 gelu(W1 x).
class FeedForward {
 public:
  FeedForward(const Plan& plan, const std::string& name);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, N, width] -> [B, N, width]

 private:
  Dense in_, out_;
  const char* gelu_;
};

// Failure(PERRIN_INVALID_CONFIG) unless `heads` divides `width` and `width` is a multiple of `pieces`, for the reason
// `why`.
void validate(int64_t width, int64_t heads, int64_t pieces, const std::string& why);

}  // namespace transformer
