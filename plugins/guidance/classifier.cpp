#include "perrin/cpp/guidance.hpp"
#include "perrin/host/artifact.h"

namespace perrin::guidance {
namespace {

struct Classifier {
  static constexpr std::string_view id = "classifier", version = "0.1.0";
  static constexpr std::string_view doc =
      "D = D + scale sigma^2 / alpha grad log p(y | x_t), towards the class y of each sample by the gradient of a "
      "classifier of noisy images (2105.05233 Sec. 4): a run of unet-classifier on the same data. The denoiser may be "
      "unconditional.";
  static std::vector<Key> keys() {
    return {
        Key::string("classifier", nullptr, "the classifier: a run's folder, or one of its checkpoint files"),
        Key::number("scale", "1.0", "0: no guidance, 1: the posterior by Bayes' rule, above 1: exaggerates the class")
            .min(0)
            .alias("classifier_scale")};
  }
  explicit Classifier(const Config& config) : classifier_(config.string("classifier")), scale_(config.number("scale")) {
    perrin_text found;  // a missing model fails before anything is trained
    check(service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(text(classifier_), &found));
    classifier_ = view(found);
  }

  std::string_view guide_checkpoint() const { return classifier_; }
  // x_t tells nothing of x_0 where alpha is 0, and is x_0 where sigma is: neither has a gradient to follow.
  uint32_t branches(const perrin_time& at) const {
    const bool guides = scale_ != 0 && at.alpha > 0 && at.sigma > 0;
    return PERRIN_BRANCH_CONDITIONAL | (guides ? PERRIN_BRANCH_CLASSIFIER : 0);
  }

  // Tweedie's formula for x_t = alpha x_0 + sigma eps: D = (x_t + sigma^2 grad log p(x_t)) / alpha. What Bayes' rule
  // adds to the score, grad log p(y | x_t), taken `scale` times, therefore adds scale sigma^2 / alpha of it to D. With
  // alpha^2 + sigma^2 = 1 that is eps - sigma scale grad log p(y | x_t) (2105.05233 Algorithm 2); in the mean of an
  // ancestral step it is scale Sigma grad log p(y | x_t) up to higher orders of the step (Algorithm 1).
  Handle guide(const perrin_guidance_step& step) const {
    const Handle D = Handle::borrow(step.conditional);
    if (!step.gradient) return D;
    return combination({1, D}, {scale_ * step.at.sigma * step.at.sigma / step.at.alpha, Handle::borrow(step.gradient)});
  }

 private:
  std::string classifier_;
  double scale_;
};
PERRIN_GUIDANCE(Classifier);

}  // namespace
}  // namespace perrin::guidance
