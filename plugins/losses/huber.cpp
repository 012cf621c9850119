// Squares near zero, absolute values far from it (Huber, Robust Estimation of a Location Parameter, 1964, with its k):
// e^2 / 2 for |e| <= delta, delta (|e| - delta / 2) beyond.
#include <ATen/ops/huber_loss.h>

#include <perrin/cpp/torch_loss.hpp>

#include "elements.hpp"

namespace {

class Huber {
 public:
  static constexpr std::string_view id = "huber";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Mean Huber error of each sample: half the square up to delta, linear beyond, so that outliers pull no harder "
      "(Huber, 1964; PyTorch's HuberLoss).";
  static std::vector<perrin::Key> keys() {
    return {perrin::Key::number("delta", "1.0", "error at which the square turns into a line").above(0)};
  }
  explicit Huber(const perrin::Config& config) : delta_(config.number("delta")) {}

  at::Tensor values(const perrin_call&, const at::Tensor& prediction, const at::Tensor& target) const {
    const auto error = at::huber_loss(prediction.to(target.scalar_type()), target, at::Reduction::None, delta_);
    return perrin::losses::mean_of_elements(error);  // [B]
  }

 private:
  double delta_;
};
PERRIN_TORCH_LOSS(Huber);

}  // namespace
