#include "perrin/cpp/guidance.hpp"
#include "perrin/host/artifact.h"

namespace perrin::guidance {
namespace {

struct Autoguidance {
  static constexpr std::string_view id = "autoguidance", version = "0.1.0";
  static constexpr std::string_view doc =
      "D = D_guide + scale (D - D_guide), away from a weaker model of the same data under the same condition "
      "(2406.02070 "
      "Eq. 3): smaller, trained for a shorter time, or an earlier checkpoint of the same run.";
  static std::vector<Key> keys() {
    return {Key::string("guide", nullptr, "the weaker model: a run's folder, or one of its checkpoint files"),
            Key::number("scale", "2.0", "1: no guidance, 0: the weaker model alone, above 1: away from it")
                .min(0)
                .alias("guidance_scale")};
  }
  explicit Autoguidance(const Config& config) : guide_(config.string("guide")), scale_(config.number("scale")) {
    perrin_text found;  // a missing model fails before anything is trained
    check(service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(text(guide_), &found));
    guide_ = view(found);
  }

  std::string_view guide_checkpoint() const { return guide_; }
  uint32_t branches(const perrin_time&) const {
    return (scale_ != 0 ? PERRIN_BRANCH_CONDITIONAL : 0) | (scale_ != 1 ? PERRIN_BRANCH_GUIDE : 0);
  }
  Handle guide(const perrin_guidance_step& step) const {
    const Handle D = Handle::borrow(step.conditional), D_guide = Handle::borrow(step.guide);
    if (scale_ == 1) return D;
    if (scale_ == 0) return D_guide;
    return combination({scale_, D}, {1 - scale_, D_guide});
  }

 private:
  std::string guide_;
  double scale_;
};
PERRIN_GUIDANCE(Autoguidance);

}  // namespace
}  // namespace perrin::guidance
