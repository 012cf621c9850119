#include "transformer.hpp"

#include <ATen/ops/gelu.h>

namespace transformer {

using perrin::Failure;
using perrin::Init;
using perrin::Parameters;

namespace {

Parameters::Options no_decay() {
  Parameters::Options options;
  options.no_decay = true;
  return options;
}

}  // namespace

Init xavier(int64_t in, int64_t out) { return Init::uniform(std::sqrt(6 / static_cast<double>(in + out))); }
Init normal_002(int64_t, int64_t) { return Init::normal(0.02); }
Init zeros(int64_t, int64_t) { return Init::zeros(); }

Dense::Dense(Parameters& p, const std::string& name, int64_t in, int64_t out, InitOf init, Bias bias)
    : weight_(&p.add(name + ".weight", {out, in}, init(in, out))) {
  if (bias == Bias::zeros) bias_ = &p.add(name + ".bias", {out}, Init::zeros(), no_decay());
}

at::Tensor Dense::operator()(const at::Tensor& x) const {
  return bias_ ? at::linear(x, *weight_, *bias_) : at::linear(x, *weight_);
}

PatchEmbedding::PatchEmbedding(Parameters& p, const std::string& name, int64_t channels, int64_t size, int64_t width,
                               Init weight, Init bias)
    : size_(size),
      weight_(&p.add(name + ".weight", {width, channels, size, size}, weight)),
      bias_(&p.add(name + ".bias", {width}, bias, no_decay())) {}

at::Tensor PatchEmbedding::operator()(const at::Tensor& x) const {
  const auto split = x.unflatten(2, {-1, size_}).unflatten(4, {-1, size_});         // [B, C, h, size, w, size]
  const auto patches = split.permute({0, 2, 4, 1, 3, 5}).flatten(3).flatten(1, 2);  // [B, h w, C size size]
  return at::linear(patches, weight_->flatten(1), *bias_);
}

at::Tensor image(const at::Tensor& tokens, int64_t size, const at::Tensor& like) {
  const auto grid = tokens.unflatten(1, {like.size(2) / size, like.size(3) / size});  // [B, h, w, size size C]
  return grid.unflatten(3, {size, size, -1}).permute({0, 5, 1, 3, 2, 4}).flatten(4, 5).flatten(2, 3);
}

SelfAttention::SelfAttention(const Plan& plan, const std::string& name)
    : attention_(plan.heads),
      qkv_(plan.p, name + ".qkv", plan.width, 3 * plan.width, plan.init, plan.qkv_bias),
      out_(plan.p, name + ".proj", plan.width, plan.width, plan.init) {}

at::Tensor SelfAttention::operator()(const at::Tensor& x) const {
  const auto qkv = qkv_(x).chunk(3, -1);  // [B, N, width] each
  return out_(attention_(qkv[0], qkv[1], qkv[2]));
}

CrossAttention::CrossAttention(const Plan& plan, const std::string& name, int64_t sequence_width)
    : attention_(plan.heads),
      q_(plan.p, name + ".q", plan.width, plan.width, plan.init),
      kv_(plan.p, name + ".kv", sequence_width, 2 * plan.width, plan.init),
      out_(plan.p, name + ".proj", plan.width, plan.width, zeros) {}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const at::Tensor& sequence) const {
  const auto kv = kv_(sequence).chunk(2, -1);  // [B, length, width] each
  return out_(attention_(q_(x), kv[0], kv[1]));
}

FeedForward::FeedForward(const Plan& plan, const std::string& name)
    : in_(plan.p, name + ".fc1", plan.width, plan.hidden, plan.init),
      out_(plan.p, name + ".fc2", plan.hidden, plan.width, plan.init),
      gelu_(plan.gelu) {}

at::Tensor FeedForward::operator()(const at::Tensor& x) const { return out_(at::gelu(in_(x), gelu_)); }

void validate(int64_t width, int64_t heads, int64_t pieces, const std::string& why) {
  if (width % heads != 0)
    throw Failure(PERRIN_INVALID_CONFIG,
                  "heads = " + std::to_string(heads) + " does not divide width = " + std::to_string(width));
  if (width % pieces != 0)
    throw Failure(PERRIN_INVALID_CONFIG, "width must be a multiple of " + std::to_string(pieces) + ", " + why +
                                             "; it is " + std::to_string(width));
}

}  // namespace transformer
