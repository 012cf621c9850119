#include "blocks.hpp"

#include <ATen/ops/ones.h>

namespace first_stage {

using Then = perrin::GroupNorm::Then;

ResBlock::ResBlock(Plan& plan, const std::string& name, int64_t in, int64_t out)
    : depth_(plan.settings.stochastic_depth),
      norm1_(plan.p, name + ".norm1", plan.settings.groups, in, Then::silu, kEps),
      conv1_(plan.p, name + ".conv1", in, out),
      norm2_(plan.p, name + ".norm2", plan.settings.groups, out, Then::silu, kEps),
      dropout_(plan.settings.dropout, plan.draws++),
      drop_path_(depth_, plan.draws++),
      conv2_(plan.p, name + ".conv2", out, out) {
  if (in != out) shortcut_.emplace(plan.p, name + ".conv_shortcut", in, out, 1);
}

at::Tensor ResBlock::operator()(const at::Tensor& x, const Context& context) const {
  const auto draws = context.frame_draws();
  const auto body = [this, draws](const std::vector<at::Tensor>& in) {
    return conv2_(dropout_(norm2_(conv1_(norm1_(in[0]))), draws.get()));
  };
  at::Tensor h = context.run(body, {x});
  if (depth_ > 0 && draws) h = h.mul(drop_path_(at::ones({x.size(0), 1, 1, 1}, h.options()), draws.get()));
  return (shortcut_ ? (*shortcut_)(x) : x).add(h);
}

AttentionBlock::AttentionBlock(Plan& plan, const std::string& name, int64_t channels)
    : norm_(plan.p, name + ".group_norm", plan.settings.groups, channels, Then::nothing, kEps),
      q_(plan.p, name + ".to_q", channels, channels),
      k_(plan.p, name + ".to_k", channels, channels),
      v_(plan.p, name + ".to_v", channels, channels),
      out_(plan.p, name + ".to_out.0", channels, channels) {}

at::Tensor AttentionBlock::operator()(const at::Tensor& x, const Context& context) const {
  return x.add(context.run([this](const std::vector<at::Tensor>& in) { return body(in[0]); }, {x}));
}

at::Tensor AttentionBlock::body(const at::Tensor& x) const {
  const auto tokens = norm_(x).permute({0, 2, 3, 1}).flatten(1, 2);  // [B, H W, C]
  const auto y = out_(attention_(q_(tokens), k_(tokens), v_(tokens)));
  return y.unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2});
}

}  // namespace first_stage
