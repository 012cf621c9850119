// A compact classifier: trained in minutes on small images, its layers then measure likeness of others.
#include "trunk.hpp"

namespace {

class ResnetSmall : public perrin::ExtractorLayers {
 public:
  static constexpr std::string_view id = "resnet-small", version = "0.1.0";
  static constexpr std::string_view doc =
      "A small residual classifier for images of about 32 x 32 (1603.05027, with group normalisation): layers stem, "
      "level1, ..., features (the mean over the pixels), logits (of the dataset's classes).";
  static std::vector<perrin::Key> keys() { return trunk::Settings::keys(); }
  static void validate(const perrin::Config& config) { trunk::Settings{config}; }

  explicit ResnetSmall(const perrin::Config& config) : ResnetSmall(trunk::Settings(config)) {}

  std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t n_classes) {
    if (n_classes == 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            "resnet-small classifies, and there are no classes: the dataset has no label; for an "
                            "embedding without classes use clip-image");
    trunk_.emplace(p_, s_, id, x);
    logits_.emplace(p_, "logits", trunk_->width(), static_cast<int64_t>(n_classes));
    std::vector<perrin_spec> specs = trunk_->specs();
    specs.push_back(images::spec(x, {static_cast<int64_t>(n_classes)}));
    return specs;
  }

  std::vector<at::Tensor> forward(const perrin_call&, const at::Tensor& x, const std::vector<uint32_t>& wanted) const {
    perrin::WantedLayers layers(wanted);
    if (const auto features = (*trunk_)(x, layers); features.defined()) layers.take((*logits_)(features));
    return layers.all;
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  explicit ResnetSmall(const trunk::Settings& settings) : ExtractorLayers(names(settings)), s_(settings) {}
  static std::vector<std::string> names(const trunk::Settings& settings) {
    auto names = settings.layers();
    names.push_back("logits");
    return names;
  }

  trunk::Settings s_;
  perrin::Parameters p_;
  std::optional<trunk::Trunk> trunk_;
  std::optional<perrin::Linear> logits_;
};
PERRIN_EXTRACTOR(ResnetSmall);

}  // namespace
