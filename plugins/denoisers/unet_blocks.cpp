#include "unet_blocks.hpp"

#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>

namespace unet {

using perrin::Failure;
using Then = perrin::GroupNorm::Then;

namespace {

int64_t heads_of(const std::string& name, int64_t channels, int64_t head_channels) {
  const int64_t size = std::min(channels, head_channels);
  if (channels % size == 0) return channels / size;
  throw Failure(PERRIN_INVALID_CONFIG, name + ": " + std::to_string(channels) +
                                           " channels do not divide into heads of " + std::to_string(size) +
                                           "; choose another head_channels");
}

// [B, C, H, W] <-> [B, H W, C]; no copy where the image is channels-last.
at::Tensor tokens(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).flatten(1, 2); }
at::Tensor image(const at::Tensor& t, const at::Tensor& like) {
  return t.unflatten(1, {like.size(2), like.size(3)}).permute({0, 3, 1, 2});
}

}  // namespace

ResBlock::ResBlock(const Plan& plan, const std::string& name, int64_t in, int64_t out)
    : norm1_(plan.p, name + ".norm1", plan.groups, in, Then::silu),
      conv1_(plan.p, name + ".conv1", in, out),
      time_(plan.p, name + ".time_emb_proj", plan.time_width, out),
      norm2_(plan.p, name + ".norm2", plan.groups, out, Then::silu),
      conv2_(plan.p, name + ".conv2", out, out) {
  if (in != out) shortcut_.emplace(plan.p, name + ".conv_shortcut", in, out, 1);
}

at::Tensor ResBlock::operator()(const at::Tensor& x, const at::Tensor& time) const {
  auto h = conv1_(norm1_(x));
  h = h.add(time_(time).unsqueeze(-1).unsqueeze(-1));
  h = conv2_(norm2_(h));
  return (shortcut_ ? (*shortcut_)(x) : x).add(h);
}

AttentionBlock::AttentionBlock(const Plan& plan, const std::string& name, int64_t channels)
    : attention_(heads_of(name, channels, plan.head_channels)),
      norm_(plan.p, name + ".group_norm", plan.groups, channels, Then::nothing),
      qkv_(plan.p, name + ".to_qkv", channels, 3 * channels),
      out_(plan.p, name + ".to_out.0", channels, channels) {
  if (plan.sequence_width == 0) return;
  const std::string c = name + ".cross";
  cross_.emplace(Cross{{plan.p, c + ".group_norm", plan.groups, channels, Then::nothing},
                       {plan.p, c + ".to_q", channels, channels},
                       {plan.p, c + ".to_kv", plan.sequence_width, 2 * channels},
                       {plan.p, c + ".to_out.0", channels, channels}});
}

at::Tensor AttentionBlock::operator()(const at::Tensor& x, const at::Tensor& sequence) const {
  const auto qkv = qkv_(tokens(norm_(x))).chunk(3, -1);  // [B, H W, C] each
  const auto h = x.add(image(out_(attention_(qkv[0], qkv[1], qkv[2])), x));
  return cross_ ? cross(h, sequence) : h;
}

at::Tensor AttentionBlock::cross(const at::Tensor& x, const at::Tensor& sequence) const {
  const auto q = cross_->q(tokens(cross_->norm(x)));
  const auto kv = cross_->kv(sequence).chunk(2, -1);  // [B, length, C] each
  return x.add(image(cross_->out(attention_(q, kv[0], kv[1])), x));
}

at::Tensor doubled(const at::Tensor& x) { return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}); }

}  // namespace unet
