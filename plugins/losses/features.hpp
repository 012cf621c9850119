// What losses over a trained extractor's layers share: their keys, and the layers of the reconstruction and of the
// data.
#pragma once

#include <perrin/cpp/open_extractor.hpp>
#include <perrin/cpp/torch_loss.hpp>
#include <string>
#include <vector>

namespace perrin::losses {

class Features {
 public:
  static constexpr perrin_text inputs[] = {PERRIN_TEXT("reconstruction"), PERRIN_TEXT("x")};
  // extractor, weights, layers, layer_weights.
  static std::vector<Key> keys();
  static void validate(const Config& config);
  explicit Features(const Config& config);

  // Opens the extractor for images like `x`. `layers` empty: `or_else`, or if that is empty all layers with positions.
  void open(const InputShapes& shapes, const std::vector<std::string>& or_else = {});

  size_t size() const { return layers_.size(); }
  const std::string& layer(size_t i) const { return layers_[i]; }
  double weight(size_t i) const { return weights_.empty() ? 1 : weights_[i]; }
  int64_t channels(size_t i) const { return extractor_.shape(layers_[i]).sizes[0]; }

  // One layer of both images, as [B, C, positions] and in the images' dtype.
  struct Pair {
    at::Tensor reconstruction, x;  // the first with a graph
  };
  std::vector<Pair> operator()(const perrin_call& call, const TorchLossInputs& in) const;

 private:
  std::string use_, file_;
  std::vector<std::string> layers_;
  std::vector<double> weights_;
  OpenExtractor extractor_;
};

}  // namespace perrin::losses
