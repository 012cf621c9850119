// Vector quantisation (1711.00937): a codebook, the nearest code of each vector, and what trains them.
#pragma once

#include <perrin/host/rng.h>

#include <perrin/cpp/torch.hpp>

namespace first_stage {

class Quantizer {
 public:
  struct Settings {
    int64_t codes;
    bool averaged;  // update = "ema"
    double decay, commitment, restart;
  };
  static std::vector<perrin::Key> keys();
  static Settings settings(const perrin::Config& config);

  Quantizer(const Settings& settings, int64_t width);

  // Once, in this order: the codebook, under the name that diffusers' VQModel has for it; then, after initial values
  // from a file were given, what is counted. `drawn`: the codebook's values are not from a file.
  void declare_codebook(perrin::Parameters& p);
  void declare_counts(perrin::Parameters& p, bool drawn);

  // z: [B, width, ...] -> the nearest code of each vector, the same shape, float32 at least. No gradient.
  at::Tensor operator()(const at::Tensor& z) const;

  struct Trained {
    at::Tensor z;                     // [B, width, ...], the codes, with the gradient of the vectors (straight-through)
    at::Tensor commitment, codebook;  // [B], the two terms of 1711.00937 Eq. 3 that pull vectors and codes together
  };
  // The same for a batch of training: replaces dead codes, counts, moves codes by their averages if `update` says so.
  Trained train(const perrin_call& call, const at::Tensor& z);

  // Of the latest batch of training; nan before. exp of the entropy of the codes' use, the share of codes in use, how
  // many were replaced.
  double perplexity() const { return perplexity_; }
  double usage() const { return usage_; }
  double replaced() const { return replaced_; }

 private:
  at::Tensor codes() const;                                                      // [n, width]
  at::Tensor nearest(const at::Tensor& vectors, const at::Tensor& codes) const;  // [N, width], [n, width] -> [N]
  void replace_dead(const perrin_call& call, const at::Tensor& vectors);
  void count(const at::Tensor& vectors, const at::Tensor& numbers);

  Settings s_;
  int64_t width_;
  const perrin_host_rng* rng_;
  const at::Tensor* codebook_ = nullptr;  // [n, width]
  const at::Tensor* moved_ = nullptr;     // [n, width], added to a trained codebook: where replaced codes went
  const at::Tensor* use_ = nullptr;       // [n], running share of the vectors, times n: 1 is the even share
  double perplexity_, usage_, replaced_;
};

}  // namespace first_stage
