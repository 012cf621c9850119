// The deterministic autoencoder: the network of autoencoder-kl without a posterior.
#include <perrin/cpp/encoder.hpp>

#include "first_stage.hpp"

namespace {

class Autoencoder {
 public:
  static constexpr std::string_view id = "autoencoder";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Deterministic convolutional autoencoder for images and clips: ResNet blocks and attention, every way of halving "
      "and doubling (the network of autoencoder-kl).";
  static std::vector<perrin::Key> keys() { return first_stage::keys(); }
  static void validate(const perrin::Config& config) { first_stage::Settings{config}; }

  explicit Autoencoder(const perrin::Config& config) : stage_(config, 1) {}

  perrin_spec infer(const perrin_spec& x) { return stage_.infer(id, x); }
  at::Tensor encode(const perrin_call& call, const at::Tensor& x) const {
    return stage_.encode(call, x, call.training != 0);
  }
  at::Tensor decode(const perrin_call& call, const at::Tensor& z) const { return stage_.decode(call, z); }
  std::string_view last_layer() const { return first_stage::FirstStage::last_layer; }
  perrin::Parameters& parameters() { return stage_.parameters(); }

 private:
  first_stage::FirstStage stage_;
};
PERRIN_ENCODER(Autoencoder);

}  // namespace
