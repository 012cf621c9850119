#include "dit_block.hpp"

#include <ATen/ops/layer_norm.h>

namespace dit {
namespace {

at::Tensor normalised(const at::Tensor& x) { return at::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6); }

}  // namespace

at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return normalised(x).mul(scale.add(1)).add(shift);
}

Block::Block(const transformer::Plan& plan, const std::string& name, int64_t sequence_width)
    : attention_(plan, name + ".attn"),
      mlp_(plan, name + ".mlp"),
      modulation_(plan.p, name + ".adaLN_modulation.1", plan.width, 6 * plan.width, transformer::zeros) {
  if (sequence_width != 0) cross_.emplace(plan, name + ".cross", sequence_width);
}

at::Tensor Block::operator()(const at::Tensor& x, const at::Tensor& c, const at::Tensor& sequence) const {
  const auto m = modulation_(c).unsqueeze(1).chunk(6, -1);  // shift, scale, gate; again for the feed-forward
  auto h = x.add(m[2].mul(attention_(modulate(x, m[0], m[1]))));
  if (cross_) h = h.add((*cross_)(normalised(h), sequence));
  return h.add(m[5].mul(mlp_(modulate(h, m[3], m[4]))));
}

}  // namespace dit
