// Textures: distances of Gram matrices (1508.06576), as the mean over positions and channels of 1603.08155
// (section 3.2) has them: G = F F' / (C P) of F [C, P], and ||G(x) - G(x_hat)||^2. 1508.06576's E_l is a quarter of
// that.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "elements.hpp"
#include "features.hpp"

namespace {

using perrin::losses::Features;

// [B, C, P] -> [B, C, C]. Not in bfloat16, whatever the stage's precision: the loss is a difference of two.
at::Tensor gram(const at::Tensor& F) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  return at::matmul(F, F.transpose(1, 2)) / static_cast<double>(F.size(1) * F.size(2));
}

class Style {
 public:
  static constexpr std::string_view id = "style";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Squared Frobenius distance of the Gram matrices of a trained extractor's layers, each over channels times "
      "positions (1603.08155, section 3.2; four times the E of 1508.06576), summed over layers.";
  static std::vector<perrin::Key> keys() { return Features::keys(); }
  static void validate(const perrin::Config& config) { Features::validate(config); }
  explicit Style(const perrin::Config& config) : features_(config) {}

  static constexpr auto& inputs = Features::inputs;

  void infer(const perrin::InputShapes& shapes) { features_.open(shapes); }
  at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) const {
    at::Tensor total;
    const auto pairs = features_(call, in);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto d = gram(pairs[i].reconstruction) - gram(pairs[i].x);
      const auto value = perrin::losses::sum_of_elements(d * d) * features_.weight(i);  // [B]
      total = total.defined() ? total + value : value;
    }
    return total;
  }

 private:
  Features features_;
};
PERRIN_TORCH_LOSS(Style);

}  // namespace
