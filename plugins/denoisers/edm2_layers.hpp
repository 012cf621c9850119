// Magnitude-preserving operations of EDM2 (2312.02696, appendix B): given inputs of magnitude M[a] = sqrt(E[a^2]) = 1,
// each gives outputs of magnitude 1. No normalisation by groups, no biases.
#pragma once

#include <perrin/cpp/layers.hpp>

namespace edm2 {

// x / (eps + root mean square of x over `dims`), eps = 1e-4 (algorithm 1), in float32 at least.
at::Tensor normalize(const at::Tensor& x, at::IntArrayRef dims);

// x of magnitude 1 along the last dimension, zero staying zero.
at::Tensor unit(const at::Tensor& x);

at::Tensor mp_silu(const at::Tensor& x);                                // equation 81
at::Tensor mp_sum(const at::Tensor& a, const at::Tensor& b, double t);  // equation 88: (1 - t) a + t b, rescaled
at::Tensor mp_cat(const at::Tensor& a, const at::Tensor& b, double t);  // equation 103: along channels, balanced

// Weights of shape `sizes`, [out, in, ...], from N(0, 1). Whenever they are used, those of each output are brought to
// magnitude 1 / sqrt(fan_in) (equation 47). The host keeps those that it stores at magnitude 1 (forced weight
// normalisation, equation 66), without which the effective learning rate would fall as they grow.
class Weight {
 public:
  Weight(perrin::Parameters& p, const std::string& name, std::vector<int64_t> sizes);
  at::Tensor operator()() const;
  at::Tensor operator()(const at::Tensor& gain) const { return (*this)().mul(gain); }

 private:
  const at::Tensor* weight_;
};

// [B, in, H, W] -> [B, out, H, W]; `size` odd.
class MpConv {
 public:
  MpConv(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out, int64_t size);
  at::Tensor operator()(const at::Tensor& x) const { return convolve(x, weight_()); }
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& gain) const { return convolve(x, weight_(gain)); }

 private:
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                               int64_t);
  at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight) const;
  Weight weight_;
  int64_t padding_;
  perrin::HostOperator<Signature> operation_;
};

// [..., in] -> [..., out].
class MpLinear {
 public:
  MpLinear(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out) : weight_(p, name, {out, in}) {}
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight_()); }
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& gain) const { return at::linear(x, weight_(gain)); }

 private:
  Weight weight_;
};

// A learnt scalar that starts from zero.
const at::Tensor& gain(perrin::Parameters& p, const std::string& name);

// The time as unit-magnitude features: random Fourier ones (equation 75), whose frequencies and phases are buffers, or
// the sinusoids of DDPM times sqrt(2).
class TimeFeatures {
 public:
  enum class Kind { fourier, positional };
  TimeFeatures(perrin::Parameters& p, const std::string& name, Kind kind, int64_t width);
  at::Tensor operator()(const at::Tensor& c_noise) const;  // [B] -> [B, width], float64

 private:
  int64_t width_;
  const at::Tensor* frequencies_ = nullptr;
  const at::Tensor* phases_ = nullptr;
};

}  // namespace edm2
