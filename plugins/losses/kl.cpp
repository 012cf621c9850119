// The prior's term of a variational autoencoder (1312.6114, appendix B) with beta (Higgins et al., ICLR 2017), which is
// the term's `weight`.
//
// A posterior N(mean, exp(log_variance)) of n latent elements has
//   KL(q || N(0, 1)) = sum_i (mean_i^2 + exp(log_variance_i) - 1 - log_variance_i) / 2    nats,
// and the value is this over N, the number of the data's elements. l1 and l2 are means over those N elements where
// latent diffusion's own training (2112.10752, its LPIPSWithDiscriminator) sums them and adds w KL: with this loss the
// total is theirs over N, term by term, so that their weights (1e-6 for the KL, and a perceptual term's, which they add
// to every pixel) are used as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>

#include <limits>
#include <perrin/cpp/torch_loss.hpp>

#include "elements.hpp"

namespace {

using perrin::Key;
using perrin::losses::sum_of_elements;

class Kl {
 public:
  static constexpr std::string_view id = "kl";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "KL of the encoder's Gaussian posterior to N(0, 1), summed over the latent, divided by the number of the data's "
      "elements: beside l1 or l2, which are means, a weight such as 1e-6 means what it does for sums over pixels in "
      "2112.10752.";
  static std::vector<Key> keys() {
    return {Key::integer("warmup", "0",
                         "steps of the stage over which the term grows from 0 to its weight in a line (1602.02282); 0: "
                         "at once")
                .min(0)
                .unit("steps"),
            Key::number("free_bits", "0.0",
                        "KL of a channel, over its positions and on average over the batch, below which it is not "
                        "pulled to the prior (lambda of 1606.04934, equation 15); a latent without positions has "
                        "channels of one element")
                .min(0)
                .unit("nats")};
  }
  explicit Kl(const perrin::Config& config)
      : warmup_(config.integer("warmup")), free_bits_(config.number("free_bits")) {}

  static constexpr perrin_text inputs[] = {PERRIN_TEXT("posterior_mean"), PERRIN_TEXT("posterior_log_variance"),
                                           PERRIN_TEXT("x")};
  static constexpr perrin_trace_value traced[] = {
      {PERRIN_TEXT("nats"), PERRIN_TEXT("nats"),
       PERRIN_TEXT("KL of a sample's latent, mean over the batch, without warm-up and free bits")}};

  at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) {
    const auto mean = in["posterior_mean"], log_variance = in["posterior_log_variance"], x = in["x"];  // [B, n...]
    const auto kl = (mean * mean + at::exp(log_variance) - 1 - log_variance) * 0.5;
    const auto summed = sum_of_elements(kl);  // [B]
    if (call.training) nats_ = summed.detach().mean().item<double>();
    const double elements = static_cast<double>(x.numel() / x.size(0));
    return (free_bits_ > 0 ? freed(kl) : summed) * (warm(call) / elements);
  }
  void trace(double* values) const { values[0] = nats_; }

 private:
  // The mean over the batch is sum_j max(lambda, mean KL of channel j), 1606.04934 Eq. 15.
  at::Tensor freed(const at::Tensor& kl) const {
    const auto channels = kl.dim() > 2 ? kl.flatten(2).sum(2) : kl;  // [B, C]
    const auto held = channels.detach().mean(0, true) > free_bits_;
    return at::where(held, channels, at::full_like(channels, free_bits_)).sum(1);
  }
  double warm(const perrin_call& call) const {
    if (!call.training || call.stage_step >= warmup_) return 1;
    return static_cast<double>(call.stage_step) / static_cast<double>(warmup_);
  }

  int64_t warmup_;
  double free_bits_, nats_ = std::numeric_limits<double>::quiet_NaN();
};
PERRIN_TORCH_LOSS(Kl);

}  // namespace
