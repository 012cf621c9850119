#include "t5_model.hpp"

#include <ATen/ops/relu.h>
#include <ATen/ops/rms_norm.h>

#include <algorithm>

namespace text {

using Bias = Dense::Bias;

namespace {
double root(int64_t n) { return 1 / std::sqrt(static_cast<double>(n)); }
}  // namespace

RmsNorm::RmsNorm(perrin::Parameters& p, const std::string& name, int64_t width) : width_(width) {
  perrin::Parameters::Options options;
  options.no_decay = true;
  weight_ = &p.add(name + ".weight", {width}, perrin::Init::ones(), options);
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const { return at::rms_norm(x, {width_}, *weight_, 1e-6); }

// The initial deviations are those of Mesh TensorFlow's layers, which take the place of the scores' scale.
T5Block::T5Block(const T5Plan& plan, const std::string& prefix)
    : norm1_(plan.p, prefix + "0.layer_norm", plan.width),
      q_(plan.p, prefix + "0.SelfAttention.q", plan.width, plan.heads * plan.head_width,
         root(plan.width * plan.head_width), Bias::none),
      k_(plan.p, prefix + "0.SelfAttention.k", plan.width, plan.heads * plan.head_width, root(plan.width), Bias::none),
      v_(plan.p, prefix + "0.SelfAttention.v", plan.width, plan.heads * plan.head_width, root(plan.width), Bias::none),
      out_(plan.p, prefix + "0.SelfAttention.o", plan.heads * plan.head_width, plan.width,
           root(plan.heads * plan.head_width), Bias::none),
      heads_(plan.heads, 1.0),
      norm2_(plan.p, prefix + "1.layer_norm", plan.width),
      gate_(plan.gated ? std::make_optional<Dense>(plan.p, prefix + "1.DenseReluDense.wi_0", plan.width, plan.hidden,
                                                   root(plan.width), Bias::none)
                       : std::nullopt),
      in_(plan.p, prefix + (plan.gated ? "1.DenseReluDense.wi_1" : "1.DenseReluDense.wi"), plan.width, plan.hidden,
          root(plan.width), Bias::none),
      out2_(plan.p, prefix + "1.DenseReluDense.wo", plan.hidden, plan.width, root(plan.hidden), Bias::none) {}

at::Tensor T5Block::feed(const at::Tensor& x) const {
  return out2_(gate_ ? activate((*gate_)(x), "gelu-tanh").mul(in_(x)) : at::relu(in_(x)));
}

at::Tensor T5Block::operator()(const at::Tensor& x, const at::Tensor& bias) const {
  const auto u = norm1_(x), q = q_(u);
  const auto h = x.add(out_(heads_(q, k_(u), v_(u), {false, bias.to(q.scalar_type())})));
  return h.add(feed(norm2_(h)));
}

at::Tensor relative_buckets(int64_t length, int64_t buckets, int64_t furthest) {
  const int64_t half = buckets / 2, exact = half / 2;
  const auto bucket = [&](int64_t distance) {  // of either direction
    if (distance < exact) return distance;
    const double grown = std::log(static_cast<double>(distance) / static_cast<double>(exact)) /
                         std::log(static_cast<double>(furthest) / static_cast<double>(exact));
    return std::min(half - 1, exact + static_cast<int64_t>(grown * static_cast<double>(half - exact)));
  };
  const at::Tensor result = at::empty({length, length}, at::kLong);
  auto* row = result.mutable_data_ptr<int64_t>();
  for (int64_t query = 0; query < length; ++query)
    for (int64_t key = 0; key < length; ++key) *row++ = bucket(std::abs(key - query)) + (key > query ? half : 0);
  return result;
}

}  // namespace text
