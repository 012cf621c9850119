#include "features.hpp"

namespace perrin::losses {
namespace {

// [B, C], [B, C, H, W] -> [B, C, positions]
at::Tensor by_position(const at::Tensor& features, at::ScalarType dtype) {
  const auto f = features.to(dtype);
  return f.dim() > 2 ? f.flatten(2) : f.unsqueeze(2);
}

}  // namespace

std::vector<Key> Features::keys() {
  return {
      Key::string("extractor", "\"\"",
                  "id of the extractor, such as vgg; empty: the one that the file of weights names"),
      Key::string("weights", nullptr, "safetensors file with the extractor's trained weights"),
      Key::strings("layers", "[]", "layers of the extractor that are compared; empty: every one that has positions"),
      Key::numbers("layer_weights", "[]", "weight of each of `layers`, in their order; empty: 1 each").min(0)};
}

void Features::validate(const Config& config) {
  const size_t layers = config.strings("layers").size(), weights = config.numbers("layer_weights").size();
  if (weights != 0 && layers != 0 && weights != layers)
    throw Failure(PERRIN_INVALID_CONFIG, "layer_weights has " + std::to_string(weights) + " numbers for " +
                                             std::to_string(layers) + " layers; give one for each, or none");
}

Features::Features(const Config& config)
    : use_(config.string("extractor")),
      file_(config.string("weights")),
      layers_(config.strings("layers")),
      weights_(config.numbers("layer_weights")) {}

void Features::open(const InputShapes& shapes, const std::vector<std::string>& or_else) {
  extractor_ = OpenExtractor(use_, file_, shapes["x"]);
  if (layers_.empty()) layers_ = or_else;
  if (layers_.empty())
    for (const std::string& layer : extractor_.layers())
      if (extractor_.shape(layer).rank > 1) layers_.push_back(layer);
  if (layers_.empty())
    throw Failure(PERRIN_INVALID_CONFIG, "the extractor has no layer with positions; name others in `layers`");
  if (!weights_.empty() && weights_.size() != layers_.size())
    throw Failure(PERRIN_INVALID_CONFIG, "layer_weights has " + std::to_string(weights_.size()) + " numbers for " +
                                             std::to_string(layers_.size()) + " layers; name the layers as well");
  extractor_.select(layers_);
}

std::vector<Features::Pair> Features::operator()(const perrin_call& call, const TorchLossInputs& in) const {
  const auto reconstruction = in["reconstruction"], x = in["x"];  // [B, C, H, W]
  const auto of_x = extractor_(call, x), of_reconstruction = extractor_(call, reconstruction.to(x.scalar_type()));
  std::vector<Pair> pairs;
  for (size_t i = 0; i < of_x.size(); ++i)
    pairs.push_back({by_position(of_reconstruction[i], x.scalar_type()), by_position(of_x[i], x.scalar_type())});
  return pairs;
}

}  // namespace perrin::losses
