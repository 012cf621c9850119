// log cosh e: e^2 / 2 near zero, |e| - log 2 far from it, smooth between; its derivative is tanh e.
#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <cmath>
#include <perrin/cpp/torch_loss.hpp>

#include "elements.hpp"

namespace {

class LogCosh {
 public:
  static constexpr std::string_view id = "log-cosh";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Mean log cosh of each sample's errors: half the square for small ones, the absolute value for large ones, with "
      "derivatives of every order.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit LogCosh(const perrin::Config&) {}

  // |e| + log(1 + exp(-2 |e|)) - log 2, in which nothing grows beyond |e|. Rounds at 1e-7 absolute in float32.
  at::Tensor values(const perrin_call&, const at::Tensor& prediction, const at::Tensor& target) const {
    const auto e = (prediction.to(target.scalar_type()) - target).abs();
    return perrin::losses::mean_of_elements(e + at::softplus(e * -2) - std::log(2.0));  // [B]
  }
};
PERRIN_TORCH_LOSS(LogCosh);

}  // namespace
