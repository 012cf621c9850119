// Images and captions that belong together, told apart from the batch's others: the symmetric cross-entropy of
// 2103.00020, figure 3.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/matmul.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cmath>
#include <limits>
#include <perrin/cpp/torch_loss.hpp>

namespace {

const double kInitialLogScale = std::log(1 / 0.07), kLargestLogScale = std::log(100.0);  // 2103.00020, section 2.5

// p, at most `bound`. A gradient that would take p further beyond it is dropped; one that takes it back passes, which
// clamping would stop for good.
at::Tensor held_below(const at::Tensor& p, double bound) {
  if (!p.requires_grad() || p.item<double>() <= bound) return p.clamp_max(bound);
  const auto q = p.view_as(p);
  q.register_hook([](const at::Tensor& gradient) { return gradient.clamp_min(0); });
  return q + (bound - q.detach());
}

class Contrastive {
 public:
  static constexpr std::string_view id = "contrastive";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "CLIP's symmetric cross-entropy of image and text embeddings over the batch, with a learnt temperature "
      "(2103.00020, figure 3); the whole batch takes part in every sample's value.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit Contrastive(const perrin::Config&) {
    perrin::Parameters::Options options;
    options.no_decay = true;
    log_scale_ = &parameters_.add("log_scale", {1}, perrin::Init::constant(kInitialLogScale), options);
  }

  static constexpr perrin_text inputs[] = {PERRIN_TEXT("embedding"), PERRIN_TEXT("condition")};
  static constexpr perrin_trace_value traced[] = {
      {PERRIN_TEXT("temperature"), PERRIN_TEXT(""), PERRIN_TEXT("what cosines are divided by")},
      {PERRIN_TEXT("accuracy"), PERRIN_TEXT(""),
       PERRIN_TEXT("share of the batch whose own partner is the nearest, mean of both directions")}};

  void infer(const perrin::InputShapes& shapes) {
    const perrin_spec &image = shapes["embedding"], &text = shapes["condition"];
    if (image.rank == 1 && text.rank == 1 && image.sizes[0] == text.sizes[0]) return;
    const auto shape = [](const perrin_spec& s) { return c10::str(at::IntArrayRef(s.sizes, s.rank)); };
    throw perrin::Failure(PERRIN_INVALID_CONFIG, "the extractor's embedding is " + shape(image) +
                                                     ", the conditioner's vector " + shape(text) +
                                                     "; give both one width");
  }
  perrin::Parameters& parameters() { return parameters_; }

  at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) {
    // Cosines times 100 are not to be rounded to bfloat16, whatever the stage's precision.
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto dtype = log_scale_->scalar_type();
    const auto I = unit(in["embedding"].to(dtype)), T = unit(in["condition"].to(dtype));  // [B, W]
    const auto scale = at::exp(held_below(*log_scale_, kLargestLogScale));
    const auto logits = at::matmul(I, T.t()) * scale;  // [B, B]
    const auto own = at::arange(logits.size(0), logits.options().dtype(at::kLong).requires_grad(false));
    if (call.training) keep(scale.detach(), logits.detach(), own);
    const auto loss = [&](const at::Tensor& rows) {
      return at::cross_entropy_loss(rows, own, {}, at::Reduction::None);
    };
    return (loss(logits) + loss(logits.t())) * 0.5;  // [B]
  }
  void trace(double* values) const { values[0] = temperature_, values[1] = accuracy_; }

 private:
  static at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, {1}, true).clamp_min(1e-12); }
  void keep(const at::Tensor& scale, const at::Tensor& logits, const at::Tensor& own) {
    const auto right = [&](int64_t dim) { return logits.argmax(dim).eq(own).to(at::kDouble).mean().item<double>(); };
    temperature_ = 1 / scale.item<double>();
    accuracy_ = (right(0) + right(1)) / 2;
  }

  perrin::Parameters parameters_;
  const at::Tensor* log_scale_;
  double temperature_ = std::numeric_limits<double>::quiet_NaN(), accuracy_ = temperature_;
};
PERRIN_TORCH_LOSS(Contrastive);

}  // namespace
