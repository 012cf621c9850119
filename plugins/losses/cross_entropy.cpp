// The loss of a classifier of noisy images (2105.05233, section 4).
#include <ATen/ops/cross_entropy_loss.h>

#include <perrin/cpp/torch_loss.hpp>

namespace {

class CrossEntropy {
 public:
  static constexpr std::string_view id = "cross-entropy";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "-log p(y | x_t) of the data's class y, in nats, of a classifier such as unet-classifier (2105.05233, section "
      "4); "
      "every noise level counts the same, whatever the weighting.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit CrossEntropy(const perrin::Config&) {}

  static constexpr perrin_text inputs[] = {PERRIN_TEXT("logits"), PERRIN_TEXT("label")};
  static constexpr uint32_t input_flags = PERRIN_LOSS_UNWEIGHTED;

  at::Tensor values(const perrin_call&, const perrin::TorchLossInputs& in) const {
    return at::cross_entropy_loss(in["logits"], in["label"], {}, at::Reduction::None);  // [B]
  }
};
PERRIN_TORCH_LOSS(CrossEntropy);

}  // namespace
