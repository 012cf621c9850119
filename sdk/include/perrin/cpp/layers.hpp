// Tier B layers over perrin::Parameters: what torch::nn has, at a quarter of its compile time and with the host's fused
// operators. Names, shapes and initial distributions are PyTorch's: Linear(p, "fc", 3, 4) declares "fc.weight" [4, 3]
// and "fc.bias" [4], both U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
//
// A layer is a few pointers into its Parameters, which must outlive it; build it where parameters are declared (infer
// or the constructor). Images are [B, C, H, W], channels-last in memory; a contiguous one works and is slower.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include <cmath>
#include <optional>

#include "../host/rng.h"
#include "torch.hpp"

namespace perrin {

// An operator that the host registers in LibTorch's dispatcher: autograd and autocast apply. Look it up once, in infer
// or the constructor; Failure(PERRIN_UNSUPPORTED) if this host has none of that name.
template <class Signature>
class HostOperator {
 public:
  explicit HostOperator(const char* name) : handle_(find(name)) {}
  template <class... Arguments>
  at::Tensor operator()(Arguments&&... arguments) const {
    return handle_.call(std::forward<Arguments>(arguments)...);
  }

 private:
  static c10::TypedOperatorHandle<Signature> find(const char* name) {
    const auto operation = c10::Dispatcher::singleton().findSchema({name, ""});
    if (!operation) throw Failure(PERRIN_UNSUPPORTED, std::string("this Perrin has no operator ") + name);
    return operation->template typed<Signature>();
  }
  c10::TypedOperatorHandle<Signature> handle_;
};

namespace detail {
// Declares name.weight and, unless `biased` is false, name.bias as PyTorch's Linear and Conv do.
struct WeightBias {
  WeightBias(Parameters& p, const std::string& name, std::vector<int64_t> sizes, bool biased = true) {
    double fan_in = 1;
    for (size_t i = 1; i < sizes.size(); ++i) fan_in *= static_cast<double>(sizes[i]);
    const Init init = Init::uniform(1 / std::sqrt(fan_in));
    const int64_t out = sizes[0];
    weight = &p.add(name + ".weight", std::move(sizes), init);
    if (!biased) return;
    Parameters::Options options;
    options.no_decay = true;
    bias = &p.add(name + ".bias", {out}, init, options);
  }
  const at::Tensor* weight;
  const at::Tensor* bias = nullptr;
};
}  // namespace detail

// [..., in] -> [..., out].
class Linear {
 public:
  enum class Bias { none, learnt };

  Linear(Parameters& p, const std::string& name, int64_t in, int64_t out, Bias bias = Bias::learnt)
      : p_(p, name, {out, in}, bias == Bias::learnt) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return p_.bias ? at::linear(x, *p_.weight, *p_.bias) : at::linear(x, *p_.weight);
  }

 private:
  detail::WeightBias p_;
};

// [B, in, H, W] -> [B, out, ceil(H / stride), ceil(W / stride)]: `size` odd, padded by (size - 1) / 2 zeros. By the
// host's perrin::conv2d.
class Conv2d {
 public:
  Conv2d(Parameters& p, const std::string& name, int64_t in, int64_t out, int64_t size = 3, int64_t stride = 1)
      : p_(p, name, {out, in, size, size}), stride_(stride), padding_((size - 1) / 2), operation_("perrin::conv2d") {}
  at::Tensor operator()(const at::Tensor& x) const { return operation_(x, *p_.weight, *p_.bias, stride_, padding_); }

 private:
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                               int64_t);
  detail::WeightBias p_;
  int64_t stride_, padding_;
  HostOperator<Signature> operation_;
};

// Group normalisation (1803.08494), then SiLU if asked for: one pass of the host's perrin::group_norm_silu. Weights
// start at one, biases at zero. `groups` must divide `channels`: Failure(PERRIN_INVALID_CONFIG) otherwise.
class GroupNorm {
 public:
  enum class Then { nothing, silu };

  GroupNorm(Parameters& p, const std::string& name, int64_t groups, int64_t channels, Then then, double eps = 1e-5)
      : groups_(groups), eps_(eps), silu_(then == Then::silu), operation_("perrin::group_norm_silu") {
    if (groups < 1 || channels % groups != 0)
      throw Failure(PERRIN_INVALID_CONFIG, name + ": " + std::to_string(channels) + " channels do not divide into " +
                                               std::to_string(groups) + " groups");
    Parameters::Options options;
    options.no_decay = true;
    weight_ = &p.add(name + ".weight", {channels}, Init::ones(), options);
    bias_ = &p.add(name + ".bias", {channels}, Init::zeros(), options);
  }
  at::Tensor operator()(const at::Tensor& x) const {
    return operation_(x, groups_, *weight_, *bias_, none_, none_, eps_, silu_);
  }
  // u (1 + scale) + shift of the normalised u, before SiLU (2105.05233, section 3, "AdaGN"). scale, shift: [B, C].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift) const {
    return operation_(x, groups_, *weight_, *bias_, scale, shift, eps_, silu_);
  }

 private:
  using Maybe = const std::optional<at::Tensor>&;
  using Signature = at::Tensor(const at::Tensor&, int64_t, Maybe, Maybe, Maybe, Maybe, double, bool);
  int64_t groups_;
  double eps_;
  bool silu_;
  HostOperator<Signature> operation_;
  const at::Tensor* weight_;
  const at::Tensor* bias_;
  std::optional<at::Tensor> none_;
};

// Layer normalisation (1607.06450) over the last dimension: [..., width] -> [..., width]. Weights start at one, biases
// at zero.
class LayerNorm {
 public:
  LayerNorm(Parameters& p, const std::string& name, int64_t width, double eps = 1e-5) : width_(width), eps_(eps) {
    Parameters::Options options;
    options.no_decay = true;
    weight_ = &p.add(name + ".weight", {width}, Init::ones(), options);
    bias_ = &p.add(name + ".bias", {width}, Init::zeros(), options);
  }
  at::Tensor operator()(const at::Tensor& x) const { return at::layer_norm(x, {width_}, *weight_, *bias_, eps_); }

 private:
  int64_t width_;
  double eps_;
  const at::Tensor* weight_;
  const at::Tensor* bias_;
};

// What a call's random numbers are functions of. A copy, because gradient checkpointing draws them again after the
// call.
struct Draws {
  uint64_t seed;
  std::vector<uint64_t> samples;  // [B]

  // Null outside training, where nothing is drawn.
  static std::shared_ptr<const Draws> in_training(const perrin_call& call) {
    if (!call.training) return nullptr;
    return std::make_shared<const Draws>(Draws{call.seed, {call.samples, call.samples + call.n}});
  }
};

// Zeroes each element with probability p in training and divides the others by 1 - p (1207.0580, section 10). The mask
// is a function of (seed, sample, layer, element) alone: batch size, device and memory order change nothing. `layer`
// numbers the network's dropout layers from 0.
class Dropout {
 public:
  Dropout(double p, uint64_t layer) : p_(p), layer_(layer), rng_(service<perrin_host_rng>(PERRIN_HOST_RNG)) {}

  // x: [B, ...], an image numbered as [H, W, C]. draws null: x itself.
  at::Tensor operator()(const at::Tensor& x, const Draws* draws) const {
    if (!draws || p_ == 0) return x;
    return x.mul(keep(x, *draws).to(x.device(), x.scalar_type())).div(1 - p_);
  }

 private:
  at::Tensor keep(const at::Tensor& x, const Draws& draws) const {
    std::vector<int64_t> sizes = x.sizes().vec();
    if (x.dim() == 4) sizes = {x.size(0), x.size(2), x.size(3), x.size(1)};
    const at::Tensor u = at::empty(sizes, at::kFloat);
    float* data = u.mutable_data_ptr<float>();
    const auto n = static_cast<uint64_t>(x.numel() / x.size(0));
    at::parallel_for(0, x.size(0), 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b)
        rng_->uniform({draws.seed, PERRIN_PURPOSE_DROPOUT, 0}, draws.samples[static_cast<size_t>(b)], layer_ << 40, n,
                      data + static_cast<uint64_t>(b) * n);
    });
    const at::Tensor kept = u.gt(p_);
    return x.dim() == 4 ? kept.permute({0, 3, 1, 2}) : kept;
  }

  double p_;
  uint64_t layer_;
  const perrin_host_rng* rng_;
};

// Rows of a table by number: [...] int64 -> [..., width]. Rows start at N(0, 1).
class Embedding {
 public:
  Embedding(Parameters& p, const std::string& name, int64_t rows, int64_t width) {
    Parameters::Options options;
    options.no_decay = true;
    weight_ = &p.add(name + ".weight", {rows, width}, Init::normal(1), options);
  }
  at::Tensor operator()(const at::Tensor& indices) const { return at::embedding(*weight_, indices); }
  at::Device device() const { return weight_->device(); }

 private:
  const at::Tensor* weight_;
};

// softmax(q k^T / sqrt(C / heads)) v per head (1706.03762, equation 1), by the host's perrin::attention. `heads` must
// divide C.
class Attention {
 public:
  explicit Attention(int64_t heads) : heads_(heads), operation_("perrin::attention") {}
  // q: [B, L, C], k and v: [B, S, C] -> [B, L, C].
  at::Tensor operator()(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const {
    return operation_(split(q), split(k), split(v), std::nullopt).transpose(1, 2).flatten(2);
  }

 private:
  at::Tensor split(const at::Tensor& x) const {
    return x.unflatten(-1, {heads_, -1}).transpose(1, 2);
  }  // [B, heads, L, D]
  int64_t heads_;
  HostOperator<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::optional<double>)> operation_;
};

// Sinusoids of `t` ([B]) at `width` / 2 frequencies 10000^(-i / (width / 2 - shift)) (1706.03762, section 3.5) -> [B,
// width] in t's dtype, cosines first. Angles are computed in float64: at t = 1000 float32 has four digits left.
inline at::Tensor timestep_embedding(const at::Tensor& t, int64_t width, double shift = 0) {
  const int64_t half = width / 2;
  const auto numbers = at::arange(half, t.options().dtype(at::kDouble));
  const auto frequency = numbers.mul(-std::log(10000.0) / (static_cast<double>(half) - shift)).exp();
  const auto angle = t.to(at::kDouble).unsqueeze(1).mul(frequency);
  return at::cat(at::TensorList{angle.cos(), angle.sin()}, 1).to(t.scalar_type());
}

}  // namespace perrin
