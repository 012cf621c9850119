#include "edm2_block.hpp"

#include <ATen/ops/alias.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>

namespace edm2 {
namespace {

constexpr double residual_balance = 0.3, attention_balance = 0.3;  // t of mp_sum
constexpr double largest = 256;                                    // activations are clipped to +- this

int64_t heads_of(const std::string& name, int64_t channels, int64_t head_channels) {
  const int64_t size = std::min(channels, head_channels);
  if (channels % size == 0) return channels / size;
  throw perrin::Failure(PERRIN_INVALID_CONFIG, name + ": " + std::to_string(channels) +
                                                   " channels do not divide into heads of " + std::to_string(size) +
                                                   "; choose another head_channels");
}

// A view of x that is to keep its size: gradients of its uses in the block are summed before those outside are added,
// with checkpointing as without, so that no bit depends on it.
at::Tensor resampled(const at::Tensor& x, Resample how) {
  if (how == Resample::down) return at::avg_pool2d(x, 2);
  if (how == Resample::up) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return at::alias(x);
}

}  // namespace

CosineAttention::CosineAttention(const Plan& plan, const std::string& name, int64_t channels)
    : heads_(heads_of(name, channels, plan.head_channels)),
      attention_(heads_),
      qkv_(plan.p, name + "_qkv", channels, 3 * channels, 1),
      out_(plan.p, name + "_proj", channels, channels, 1) {}

at::Tensor CosineAttention::operator()(const at::Tensor& x) const {
  const auto tokens = qkv_(x).permute({0, 2, 3, 1}).flatten(1, 2);                // [B, H W, 3 C]
  const auto unit = normalize(tokens.unflatten(-1, {3, heads_, -1}), {-1});       // [B, H W, 3, heads, C / heads]
  const auto part = [&unit](int64_t i) { return unit.select(2, i).flatten(2); };  // [B, H W, C]
  const auto y = attention_(part(0), part(1), part(2));
  return out_(y.unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2}));
}

Block::Block(Plan& plan, const std::string& name, const Shape& shape)
    : shape_(shape),
      gain_(&gain(plan.p, name + ".emb_gain")),
      conv_1_(plan.p, name + ".conv_res0", shape.side == Side::encoder ? shape.out : shape.in, shape.out, 3),
      embedding_(plan.p, name + ".emb_linear", plan.embedding, shape.out),
      dropout_(plan.dropout, plan.dropouts++),
      conv_2_(plan.p, name + ".conv_res1", shape.out, shape.out, 3) {
  if (shape.in != shape.out) skip_.emplace(plan.p, name + ".conv_skip", shape.in, shape.out, 1);
  if (shape.attention) attention_.emplace(plan, name + ".attn", shape.out);
}

at::Tensor Block::operator()(const at::Tensor& input, const at::Tensor& embedding, const perrin::Draws* draws) const {
  auto x = resampled(input, shape_.resample);
  if (shape_.side == Side::encoder) x = normalize(skip_ ? (*skip_)(x) : x, {1});
  const auto scale = embedding_(embedding, *gain_).add(1).unsqueeze(-1).unsqueeze(-1);  // [B, out, 1, 1]
  const auto y = conv_2_(dropout_(mp_silu(conv_1_(mp_silu(x)).mul(scale)), draws));
  if (shape_.side == Side::decoder && skip_) x = (*skip_)(x);
  x = mp_sum(x, y, residual_balance);
  if (attention_) x = mp_sum(x, (*attention_)(x), attention_balance);
  return x.clamp(-largest, largest);
}

}  // namespace edm2
