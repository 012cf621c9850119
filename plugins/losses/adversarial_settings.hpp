// The keys of the loss `adversarial`.
#pragma once

#include "gan_losses.hpp"
#include "patch_gan.hpp"

namespace losses {

struct AdversarialSettings {
  static std::vector<perrin::Key> keys();
  // Failure(PERRIN_INVALID_CONFIG) for values that do not fit together.
  static void validate(const perrin::Config& config);
  explicit AdversarialSettings(const perrin::Config& config);

  Objective objective;
  Norm norm;
  int64_t channels, layers;
  bool adaptive;
  double gradient_penalty;  // 0 but for wasserstein
  double r1;
  std::vector<std::string> augment;
};

}  // namespace losses
