#include "unet_transformer.hpp"

#include <ATen/ops/gelu.h>

namespace unet {

using perrin::Linear;
using Then = perrin::GroupNorm::Then;

TransformerBlock::TransformerBlock(Plan& plan, const std::string& name, int64_t channels, int64_t heads)
    : attention_(heads),
      norm1_(plan.p, name + ".norm1", channels),
      qkv_(plan.p, name + ".attn1.to_qkv", channels, 3 * channels, Linear::Bias::none),
      out_(plan.p, name + ".attn1.to_out.0", channels, channels),
      norm3_(plan.p, name + ".norm3", channels),
      widen_(plan.p, name + ".ff.net.0.proj", channels, 8 * channels),
      narrow_(plan.p, name + ".ff.net.2", 4 * channels, channels) {
  if (plan.sequence_width == 0) return;
  cross_.emplace(Cross{{plan.p, name + ".norm2", channels},
                       {plan.p, name + ".attn2.to_q", channels, channels, Linear::Bias::none},
                       {plan.p, name + ".attn2.to_kv", plan.sequence_width, 2 * channels, Linear::Bias::none},
                       {plan.p, name + ".attn2.to_out.0", channels, channels}});
}

at::Tensor TransformerBlock::operator()(at::Tensor t, const at::Tensor& sequence) const {
  t = t.add(self(norm1_(t)));
  if (cross_) t = t.add(cross(cross_->norm(t), sequence));
  return t.add(feed_forward(norm3_(t)));
}

at::Tensor TransformerBlock::self(const at::Tensor& t) const {
  const auto qkv = qkv_(t).chunk(3, -1);  // [B, H W, C] each
  return out_(attention_(qkv[0], qkv[1], qkv[2]));
}

at::Tensor TransformerBlock::cross(const at::Tensor& t, const at::Tensor& sequence) const {
  const auto kv = cross_->kv(sequence).chunk(2, -1);  // [B, length, C] each
  return cross_->out(attention_(cross_->q(t), kv[0], kv[1]));
}

// GEGLU(t) = t W gelu(t V) (2002.05202, equation 6), narrowed again.
at::Tensor TransformerBlock::feed_forward(const at::Tensor& t) const {
  const auto wide = widen_(t).chunk(2, -1);  // [B, H W, 4 C] each
  return narrow_(wide[0].mul(at::gelu(wide[1])));
}

Transformer::Transformer(Plan& plan, const std::string& name, int64_t channels, int64_t depth)
    : norm_(plan.p, name + ".norm", plan.settings.groups, channels, Then::nothing, 1e-6),
      in_(projection(plan, name + ".proj_in", channels)),
      out_(projection(plan, name + ".proj_out", channels)) {
  const int64_t heads = plan.settings.heads_of(name, channels);
  for (int64_t i = 0; i < depth; ++i)
    blocks_.emplace_back(plan, name + ".transformer_blocks." + std::to_string(i), channels, heads);
}

at::Tensor Transformer::operator()(const at::Tensor& x, const Context& context) const {
  at::Tensor t = context.run([this](const auto& in) { return tokens(project(in_, norm_(in[0]))); }, {x});
  for (const TransformerBlock& block : blocks_)
    t = context.run([&block](const auto& in) { return block(in[0], in[1]); }, {t, context.sequence});
  return x.add(project(out_, image(t, x)));
}

Transformer::Projection Transformer::projection(Plan& plan, const std::string& name, int64_t channels) {
  if (plan.settings.linear_projection) return Linear(plan.p, name, channels, channels);
  return perrin::Conv2d(plan.p, name, channels, channels, 1);
}

// [B, C, H, W] -> [B, C, H, W].
at::Tensor Transformer::project(const Projection& projection, const at::Tensor& x) {
  if (const auto* convolution = std::get_if<perrin::Conv2d>(&projection)) return (*convolution)(x);
  return image(std::get<Linear>(projection)(tokens(x)), x);
}

}  // namespace unet
