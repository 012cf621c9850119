// Absolute error, which blurs a first stage's reconstruction less than squares do (1611.07004, section 3.1).
#include <ATen/ops/l1_loss.h>

#include <perrin/cpp/torch_loss.hpp>

#include "elements.hpp"

namespace {

class L1 {
 public:
  static constexpr std::string_view id = "l1";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc = "Mean absolute error of each sample.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit L1(const perrin::Config&) {}

  at::Tensor values(const perrin_call&, const at::Tensor& prediction, const at::Tensor& target) const {
    const auto error = at::l1_loss(prediction.to(target.scalar_type()), target, at::Reduction::None);
    return perrin::losses::mean_of_elements(error);  // [B]
  }
};
PERRIN_TORCH_LOSS(L1);

}  // namespace
