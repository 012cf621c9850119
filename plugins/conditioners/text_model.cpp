#include "text_model.hpp"

#include <ATen/ops/gelu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>

namespace text {

using perrin::Init;

namespace {
perrin::Parameters::Options no_decay() {
  perrin::Parameters::Options options;
  options.no_decay = true;
  return options;
}
}  // namespace

Dense::Dense(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out, double deviation, Bias bias)
    : weight_(&p.add(name + ".weight", {out, in}, Init::normal(deviation))) {
  if (bias == Bias::zeros) bias_ = &p.add(name + ".bias", {out}, Init::zeros(), no_decay());
}

at::Tensor Dense::operator()(const at::Tensor& x) const {
  return bias_ ? at::linear(x, *weight_, *bias_) : at::linear(x, *weight_);
}

Table::Table(perrin::Parameters& p, const std::string& name, int64_t rows, int64_t width, double deviation)
    : weight_(&p.add(name + ".weight", {rows, width}, Init::normal(deviation), no_decay())) {}

at::Tensor Table::operator()(const at::Tensor& indices) const {
  return at::embedding(*weight_, indices.to(weight_->device()));
}

at::Tensor activate(const at::Tensor& x, const std::string& activation) {
  if (activation == "quick-gelu") return x.mul(at::sigmoid(x.mul(1.702)));
  return at::gelu(x, activation == "gelu-tanh" ? "tanh" : "none");
}

Heads::Heads(int64_t heads, double scale) : heads_(heads), dense_("perrin::attention") {
  if (scale != 0) scale_ = scale;
}

at::Tensor Heads::split(const at::Tensor& x) const { return x.unflatten(-1, {heads_, -1}).transpose(1, 2); }

at::Tensor Heads::operator()(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Mask& mask) const {
  const auto one =
      mask.causal || mask.allowed.defined()
          ? at::scaled_dot_product_attention(split(q), split(k), split(v),
                                             mask.allowed.defined() ? std::optional(mask.allowed) : std::nullopt, 0,
                                             mask.causal, scale_)
          : dense_(split(q), split(k), split(v), scale_);
  return one.transpose(1, 2).flatten(2);
}

Block::Block(const Plan& plan, const std::string& prefix, const Names& names)
    : post_norm_(plan.post_norm),
      activation_(plan.activation),
      heads_(plan.heads),
      q_(plan.p, prefix + names.q, plan.width, plan.width, plan.qkv),
      k_(plan.p, prefix + names.k, plan.width, plan.width, plan.qkv),
      v_(plan.p, prefix + names.v, plan.width, plan.width, plan.qkv),
      out_(plan.p, prefix + names.out, plan.width, plan.width, plan.out),
      norm1_(plan.p, prefix + names.norm1, plan.width, plan.eps),
      fc1_(plan.p, prefix + names.fc1, plan.width, plan.hidden, plan.fc1),
      fc2_(plan.p, prefix + names.fc2, plan.hidden, plan.width, plan.fc2),
      norm2_(plan.p, prefix + names.norm2, plan.width, plan.eps) {}

at::Tensor Block::attend(const at::Tensor& x, const Mask& mask) const {
  return out_(heads_(q_(x), k_(x), v_(x), mask));
}

at::Tensor Block::feed(const at::Tensor& x) const { return fc2_(activate(fc1_(x), activation_)); }

at::Tensor Block::operator()(const at::Tensor& x, const Mask& mask) const {
  if (post_norm_) {
    const auto h = norm1_(x.add(attend(x, mask)));
    return norm2_(h.add(feed(h)));
  }
  const auto h = x.add(attend(norm1_(x), mask));
  return h.add(feed(norm2_(h)));
}

void require_heads(int64_t width, int64_t heads) {
  if (width % heads == 0) return;
  throw perrin::Failure(PERRIN_INVALID_CONFIG,
                        "heads = " + std::to_string(heads) + " does not divide width = " + std::to_string(width));
}

}  // namespace text
