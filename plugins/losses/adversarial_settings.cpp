#include "adversarial_settings.hpp"

namespace losses {

using perrin::Failure;
using perrin::Key;

std::vector<Key> AdversarialSettings::keys() {
  return {
      Key::string("objective", "\"hinge\"",
                  "what the two minimise: hinge (1705.02894) and vanilla (cross-entropy, 1406.2661) as in latent "
                  "diffusion and pix2pix, whose discriminators take the mean of their two terms; non-saturating is "
                  "vanilla with their sum; wasserstein (1701.07875)")
          .choices({"hinge", "vanilla", "non-saturating", "wasserstein"}),
      Key::integer("channels", "64", "of the discriminator's first layer; doubled by each of the next three").min(1),
      Key::integer("layers", "3", "the discriminator's convolutions of stride two").min(1).max(16),
      Key::string("norm", "\"batch\"",
                  "in the discriminator: batch normalisation, by the statistics of each batch, spectral "
                  "normalisation of the weights (1802.05957), or none")
          .choices({"batch", "spectral", "none"}),
      Key::boolean("adaptive", "true",
                   "weigh the term so that it pulls at the decoder's last layer as strongly as the terms before it "
                   "(2012.09841, equation 7)"),
      Key::number("gradient_penalty", "10", "of wasserstein: lambda of 1704.00028, equation 3").min(0),
      Key::number("r1", "0", "gamma of the gradient penalty on the data (1801.04406, equation 9)").min(0),
      Key::strings("augment", "[]", "differentiable changes of all that the discriminator sees (2006.10738)")
          .choices({"colour", "translation", "cutout"})};
}

void AdversarialSettings::validate(const perrin::Config& config) {
  const bool penalised = config.string("objective") == "wasserstein" && config.number("gradient_penalty") > 0;
  if (config.string("norm") == "batch" && (penalised || config.number("r1") > 0))
    throw Failure(PERRIN_INVALID_CONFIG,
                  std::string(penalised ? "gradient_penalty" : "r1") +
                      " takes the gradient of each sample's own logit, and batch normalisation mixes the samples: set "
                      "norm to \"spectral\" or \"none\"");
}

namespace {

Objective objective_of(const std::string& name) {
  if (name == "hinge") return Objective::hinge;
  if (name == "vanilla") return Objective::vanilla;
  return name == "wasserstein" ? Objective::wasserstein : Objective::non_saturating;
}

Norm norm_of(const std::string& name) {
  if (name == "batch") return Norm::batch;
  return name == "spectral" ? Norm::spectral : Norm::none;
}

}  // namespace

AdversarialSettings::AdversarialSettings(const perrin::Config& config)
    : objective(objective_of(config.string("objective"))),
      norm(norm_of(config.string("norm"))),
      channels(config.integer("channels")),
      layers(config.integer("layers")),
      adaptive(config.boolean("adaptive")),
      gradient_penalty(objective == Objective::wasserstein ? config.number("gradient_penalty") : 0),
      r1(config.number("r1")),
      augment(config.strings("augment")) {}

}  // namespace losses
