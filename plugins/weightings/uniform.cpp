#include "perrin/cpp/weighting.hpp"

namespace perrin::weightings {
namespace {

struct Uniform {
  static constexpr std::string_view id = "uniform", version = "0.1.0";
  static constexpr std::string_view doc = "Every noise level counts the same: the simple loss (2006.11239 Eq. 14).";
  static std::vector<Key> keys() { return {}; }
  explicit Uniform(const Config&) {}

  double weight(const perrin_time&, const perrin_coefficients&) const { return 1; }
};
PERRIN_WEIGHTING(Uniform);

}  // namespace
}  // namespace perrin::weightings
