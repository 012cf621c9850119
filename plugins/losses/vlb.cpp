// The variational bound that trains a learnt variance, beside a loss that trains the mean: the hybrid objective of
// 2102.09672, section 3.1, equation 16.
#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/special_erfc.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <perrin/cpp/torch_loss.hpp>

namespace {

using perrin::Failure;
using perrin::Key;

constexpr double kLn2 = 0.69314718055994531, kLogTwoPi = 1.8378770664093455;

// [B] -> [B, 1, ...]
at::Tensor beside(const at::Tensor& scalar, const at::Tensor& x) {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[0] = -1;
  return scalar.view(sizes);
}

// The standard normal's distribution function, exact in its lower tail.
at::Tensor Phi(const at::Tensor& x) { return at::special_erfc(x * -std::sqrt(0.5)) * 0.5; }

class Vlb {
 public:
  static constexpr std::string_view id = "vlb";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "The variational bound as a loss of the learnt variance alone, beside l2 for the mean (2102.09672, equation 16): "
      "one step's term in bits per dimension, times T / 1000, so that weight 1 is the paper's lambda of 0.001.";
  static std::vector<Key> keys() {
    return {Key::integer("bins", "256",
                         "values that an element of the data can have, evenly over [-1, 1], for the step to the data "
                         "(2006.11239, equation 13): 256 for 8-bit images; 0: the data are continuous, and that step "
                         "counts by its density")
                .min(0)};
  }
  static void validate(const perrin::Config& config) {
    if (config.integer("bins") == 1)
      throw Failure(PERRIN_INVALID_CONFIG,
                    "bins = 1: data of one value have no variance; give 256, or 0 for continuous");
  }
  explicit Vlb(const perrin::Config& config) : bins_(config.integer("bins")) {}

  static constexpr perrin_text inputs[] = {PERRIN_TEXT("x_0"),
                                           PERRIN_TEXT("D"),
                                           PERRIN_TEXT("variance"),
                                           PERRIN_TEXT("posterior_x0"),
                                           PERRIN_TEXT("log_variance_small"),
                                           PERRIN_TEXT("log_variance_large"),
                                           PERRIN_TEXT("first_step"),
                                           PERRIN_TEXT("steps")};
  static constexpr uint32_t input_flags = PERRIN_LOSS_UNWEIGHTED | PERRIN_LOSS_VARIANCE_ONLY;

  // No gradient goes to D, the mean (2102.09672, after equation 16).
  at::Tensor values(const perrin_call&, const perrin::TorchLossInputs& in) const {
    const auto x_0 = in["x_0"], v = in["variance"];
    const auto small = beside(in["log_variance_small"], x_0), large = beside(in["log_variance_large"], x_0);
    const auto f = (v + 1) * 0.5;
    const auto log_variance = f * large + (1 - f) * small;  // 2102.09672 Eq. 15
    // The true mean of x_{t-1} minus the predicted one: both have the same x_t in them.
    const auto d = beside(in["posterior_x0"], x_0) * (x_0 - in["D"].detach());
    // KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) of two Gaussians.
    const auto kl = ((log_variance - small) + at::exp(small - log_variance) + d * d * at::exp(-log_variance) - 1) * 0.5;
    const auto nll = bins_ > 0 ? discretised(x_0, d, log_variance)
                               : (log_variance + d * d * at::exp(-log_variance) + kLogTwoPi) * 0.5;
    std::vector<int64_t> elements;
    for (int64_t i = 1; i < x_0.dim(); ++i) elements.push_back(i);
    const auto L_t = at::mean(at::where(beside(in["first_step"], x_0) > 0, nll, kl), elements) / kLn2;  // [B]
    return L_t * in["steps"] * 1e-3;
  }

 private:
  // -log of the Gaussian's mass in the bin of x_0, whose ends are open (2006.11239 Eq. 13). The bin is mirrored so that
  // the difference is of small numbers.
  at::Tensor discretised(const at::Tensor& x_0, const at::Tensor& d, const at::Tensor& log_variance) const {
    const double half = 1.0 / static_cast<double>(bins_ - 1);
    const auto inverse = at::exp(log_variance * -0.5);
    const auto within = Phi((half - d.abs()) * inverse) - Phi((-half - d.abs()) * inverse);
    const auto lowest = Phi((d + half) * inverse), highest = Phi((half - d) * inverse);
    const auto mass = at::where(x_0 < half / 2 - 1, lowest, at::where(x_0 > 1 - half / 2, highest, within));
    return -mass.clamp_min(1e-12).log();
  }

  int64_t bins_;
};
PERRIN_TORCH_LOSS(Vlb);

}  // namespace
