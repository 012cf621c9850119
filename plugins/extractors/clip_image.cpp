// The image tower of a small CLIP (2103.00020, figure 3): a network, then a linear projection into the space that
// images and texts share. Length one is the loss's and the search's business.
#include "trunk.hpp"

namespace {

class ClipImage : public perrin::ExtractorLayers {
 public:
  static constexpr std::string_view id = "clip-image", version = "0.1.0";
  static constexpr std::string_view doc =
      "The image tower of a small CLIP (2103.00020): the network of resnet-small, then a projection. Layers stem, "
      "level1, "
      "..., features, embedding. Train it with the loss contrastive and a text conditioner.";
  static std::vector<perrin::Key> keys() {
    auto keys = trunk::Settings::keys();
    keys.push_back(perrin::Key::integer("width", "64", "size of the embedding, the text tower's too").min(1));
    return keys;
  }
  static void validate(const perrin::Config& config) { trunk::Settings{config}; }

  explicit ClipImage(const perrin::Config& config) : ClipImage(trunk::Settings(config), config.integer("width")) {}

  std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t) {
    trunk_.emplace(p_, s_, id, x);
    projection_.emplace(p_, "projection", trunk_->width(), width_, perrin::Linear::Bias::none);
    std::vector<perrin_spec> specs = trunk_->specs();
    specs.push_back(images::spec(x, {width_}));
    return specs;
  }

  std::vector<at::Tensor> forward(const perrin_call&, const at::Tensor& x, const std::vector<uint32_t>& wanted) const {
    perrin::WantedLayers layers(wanted);
    if (const auto features = (*trunk_)(x, layers); features.defined()) layers.take((*projection_)(features));
    return layers.all;
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  ClipImage(const trunk::Settings& settings, int64_t width)
      : ExtractorLayers(names(settings)), s_(settings), width_(width) {}
  static std::vector<std::string> names(const trunk::Settings& settings) {
    auto names = settings.layers();
    names.push_back("embedding");
    return names;
  }

  trunk::Settings s_;
  int64_t width_;
  perrin::Parameters p_;
  std::optional<trunk::Trunk> trunk_;
  std::optional<perrin::Linear> projection_;
};
PERRIN_EXTRACTOR(ClipImage);

}  // namespace
