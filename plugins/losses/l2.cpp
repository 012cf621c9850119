// Squared error, the simple loss of 2006.11239, equation 14.
#include <ATen/ops/mean.h>
#include <ATen/ops/mse_loss.h>

#include <perrin/cpp/torch_loss.hpp>

namespace {

class L2 {
 public:
  static constexpr std::string_view id = "l2";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc = "Mean squared error of each sample (2006.11239, equation 14).";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit L2(const perrin::Config&) {}

  at::Tensor values(const perrin_call&, const at::Tensor& prediction, const at::Tensor& target) const {
    std::vector<int64_t> elements;
    for (int64_t i = 1; i < prediction.dim(); ++i) elements.push_back(i);
    const auto error = at::mse_loss(prediction.to(target.scalar_type()), target, at::Reduction::None);
    return at::mean(error, elements);  // [B]
  }
};
PERRIN_TORCH_LOSS(L2);

}  // namespace
