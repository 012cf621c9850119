#include "unet_blocks.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace unet {

using Then = perrin::GroupNorm::Then;

ResBlock::ResBlock(Plan& plan, const std::string& name, int64_t in, int64_t out)
    : scale_shift_(plan.settings.scale_shift_norm),
      norm1_(plan.p, name + ".norm1", plan.settings.groups, in, Then::silu, plan.settings.norm_eps),
      conv1_(plan.p, name + ".conv1", in, out),
      time_(plan.p, name + ".time_emb_proj", plan.time_width, scale_shift_ ? 2 * out : out),
      norm2_(plan.p, name + ".norm2", plan.settings.groups, out, Then::silu, plan.settings.norm_eps),
      dropout_(plan.settings.dropout, plan.dropouts++),
      conv2_(plan.p, name + ".conv2", out, out) {
  if (in != out) shortcut_.emplace(plan.p, name + ".conv_shortcut", in, out, 1);
}

at::Tensor ResBlock::operator()(const at::Tensor& x, const Context& context) const {
  const auto part = [this, draws = context.draws](const auto& in) { return body(in[0], in[1], draws.get()); };
  const auto h = context.run(part, {x, context.time});
  return (shortcut_ ? (*shortcut_)(x) : x).add(h);
}

at::Tensor ResBlock::body(const at::Tensor& x, const at::Tensor& time, const perrin::Draws* draws) const {
  return conv2_(dropout_(modulated(conv1_(norm1_(x)), time), draws));
}

// The second normalisation, told the time.
at::Tensor ResBlock::modulated(const at::Tensor& h, const at::Tensor& time) const {
  if (!scale_shift_) return norm2_(h.add(time_(time).unsqueeze(-1).unsqueeze(-1)));
  const auto scale_shift = time_(time).chunk(2, 1);  // [B, out] each
  return norm2_(h, scale_shift[0], scale_shift[1]);
}

AttentionBlock::AttentionBlock(Plan& plan, const std::string& name, int64_t channels)
    : attention_(plan.settings.heads_of(name, channels)),
      norm_(plan.p, name + ".group_norm", plan.settings.groups, channels, Then::nothing, plan.settings.norm_eps),
      qkv_(plan.p, name + ".to_qkv", channels, 3 * channels),
      out_(plan.p, name + ".to_out.0", channels, channels) {
  if (plan.sequence_width == 0) return;
  const std::string c = name + ".cross";
  cross_.emplace(Cross{{plan.p, c + ".group_norm", plan.settings.groups, channels, Then::nothing, plan.settings.norm_eps},
                       {plan.p, c + ".to_q", channels, channels},
                       {plan.p, c + ".to_kv", plan.sequence_width, 2 * channels},
                       {plan.p, c + ".to_out.0", channels, channels}});
}

at::Tensor AttentionBlock::operator()(const at::Tensor& x, const Context& context) const {
  const auto h = x.add(context.run([this](const auto& in) { return self(in[0]); }, {x}));
  if (!cross_) return h;
  return h.add(context.run([this](const auto& in) { return cross(in[0], in[1]); }, {h, context.sequence}));
}

at::Tensor AttentionBlock::self(const at::Tensor& x) const {
  const auto qkv = qkv_(tokens(norm_(x))).chunk(3, -1);  // [B, H W, C] each
  return image(out_(attention_(qkv[0], qkv[1], qkv[2])), x);
}

at::Tensor AttentionBlock::cross(const at::Tensor& x, const at::Tensor& sequence) const {
  const auto q = cross_->q(tokens(cross_->norm(x)));
  const auto kv = cross_->kv(sequence).chunk(2, -1);  // [B, length, C] each
  return image(cross_->out(attention_(q, kv[0], kv[1])), x);
}

Attending attending(Plan& plan, const std::string& name, int64_t channels, int64_t depth) {
  if (depth == 0) return AttentionBlock(plan, name, channels);
  return Transformer(plan, name, channels, depth);
}

at::Tensor attend(const Attending& block, const at::Tensor& x, const Context& context) {
  return std::visit([&](const auto& b) { return b(x, context); }, block);
}

Halving::Halving(Plan& plan, const std::string& name, int64_t channels) {
  if (plan.settings.downsample_padding > 0)
    padded_.emplace(plan.p, name, channels, channels, 3, 2);
  else
    bare_.emplace(plan.p, name, std::vector<int64_t>{channels, channels, 3, 3});
}

at::Tensor Halving::operator()(const at::Tensor& x) const {
  if (padded_) return (*padded_)(x);
  static constexpr int64_t stride[] = {2, 2};
  return at::conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}), *bare_->weight, *bare_->bias, at::IntArrayRef(stride));
}

at::Tensor doubled(const at::Tensor& x) { return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}); }

}  // namespace unet
