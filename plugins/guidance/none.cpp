#include "perrin/cpp/guidance.hpp"

namespace perrin::guidance {
namespace {

struct None {
  static constexpr std::string_view id = "none", version = "0.1.0";
  static constexpr std::string_view doc = "The conditional prediction as it is; one network evaluation a step.";
  static std::vector<Key> keys() { return {}; }
  explicit None(const Config&) {}

  uint32_t branches(const perrin_time&) const { return PERRIN_BRANCH_CONDITIONAL; }
  Handle combine(const perrin_time&, const Handle& conditional, const Handle&) const { return conditional; }
};
PERRIN_GUIDANCE(None);

}  // namespace
}  // namespace perrin::guidance
