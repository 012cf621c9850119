#include "perrin/cpp/timesteps.hpp"

namespace perrin::timesteps {
namespace {

struct Uniform {
  static constexpr std::string_view id = "uniform", version = "0.1.0";
  static constexpr std::string_view doc = "Every time of the schedule equally often (2006.11239 Algorithm 1).";
  static std::vector<Key> keys() { return {}; }
  explicit Uniform(const Config&) {}

  double draw(double u, uint64_t, const perrin_time_domain& domain, double&) const {
    return time_at_quantile(domain, u);
  }
};
PERRIN_TIMESTEPS(Uniform);

}  // namespace
}  // namespace perrin::timesteps
