// Distances of a trained extractor's layers: feature reconstruction (1603.08155, equation 2), or LPIPS (1801.03924,
// equation 1) with the heads of its authors' file, which hold the squares of the paper's w.
//
// Images go to the extractor in [-1, 1]; scaling them as its weights were trained is the extractor's. LPIPS' shift
// (-.030, -.088, -.188) and scale (.458, .448, .450) are ImageNet's mean and deviation, 2 mean - 1 and 2 deviation, so
// that a VGG16 that scales as torchvision's is the one of LPIPS.
#include <ATen/TensorOperators.h>
#include <ATen/ops/sqrt.h>

#include <perrin/cpp/weights.hpp>

#include "elements.hpp"
#include "features.hpp"

namespace {

using perrin::Failure;
using perrin::Key;
using perrin::losses::Features;

// The layers of VGG16 that LPIPS' heads weigh.
const std::vector<std::string> kLpipsLayers = {"relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"};

// To length 1 over channels, [B, C, P]; 1e-10 as LPIPS has it. The clamp keeps the root's derivative finite at a
// position of zeros, frequent behind a ReLU.
at::Tensor unit(const at::Tensor& F) {
  const auto squares = (F * F).sum(1, true);
  return F / (at::sqrt(squares.clamp_min(1e-30)) + 1e-10);
}

class Perceptual {
 public:
  static constexpr std::string_view id = "perceptual";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Distance of a trained extractor's layers, summed over them: the mean squared difference (1603.08155, equation "
      "2), or with `heads` LPIPS (1801.03924, equation 1).";
  static std::vector<Key> keys() {
    auto keys = Features::keys();
    keys.push_back(Key::string("heads", "\"\"",
                               "safetensors file with LPIPS' heads, lin0.model.1.weight and so on, one for each layer, "
                               "each [1, channels, 1, 1]; their layers are VGG16's relu1_2, relu2_2, relu3_3, relu4_3 "
                               "and relu5_3 unless `layers` names others"));
    keys.push_back(Key::boolean("normalise", "false",
                                "compare directions: features have length 1 over channels, and their squared "
                                "differences are summed over channels, averaged over positions; `heads` imply it"));
    return keys;
  }
  static void validate(const perrin::Config& config) { Features::validate(config); }
  explicit Perceptual(const perrin::Config& config)
      : features_(config), heads_file_(config.string("heads")), normalise_(config.boolean("normalise")) {}

  static constexpr auto& inputs = Features::inputs;

  void infer(const perrin::InputShapes& shapes) {
    features_.open(shapes, heads_file_.empty() ? std::vector<std::string>{} : kLpipsLayers);
    heads_.clear();
    if (heads_file_.empty()) return;
    const perrin::WeightsFile file(heads_file_);
    for (size_t i = 0; i < features_.size(); ++i) heads_.push_back(head(file, i));
  }

  at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) const {
    at::Tensor total;
    const auto pairs = features_(call, in);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto value = distance(i, pairs[i]) * features_.weight(i);  // [B]
      total = total.defined() ? total + value : value;
    }
    return total;
  }

 private:
  // [1, C, 1]
  at::Tensor head(const perrin::WeightsFile& file, size_t i) const {
    const std::string name = "lin" + std::to_string(i) + ".model.1.weight";
    const at::Tensor weight = file[name];
    if (weight.numel() == features_.channels(i)) return weight.reshape({1, -1, 1}).to(at::kFloat);
    throw Failure(PERRIN_INVALID_DATA,
                  c10::str(file.file(), ": \"", name, "\" is ", weight.sizes(), ", and the layer \"",
                           features_.layer(i), "\" has ", features_.channels(i), " channels"));
  }

  at::Tensor distance(size_t i, const Features::Pair& F) const {
    const bool directions = normalise_ || !heads_.empty();
    const auto d = directions ? unit(F.reconstruction) - unit(F.x) : F.reconstruction - F.x;  // [B, C, P]
    if (!directions) return perrin::losses::mean_of_elements(d * d);
    const auto squares = heads_.empty() ? d * d : d * d * heads_[i].to(d.options());
    return squares.sum(1).mean(1);
  }

  Features features_;
  std::string heads_file_;
  bool normalise_;
  std::vector<at::Tensor> heads_;
};
PERRIN_TORCH_LOSS(Perceptual);

}  // namespace
