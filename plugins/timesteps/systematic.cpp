#include <cmath>

#include "by_position.hpp"
#include "strata.hpp"

namespace perrin::timesteps {
namespace {

struct Systematic {
  static constexpr std::string_view id = "systematic", version = "0.1.0";
  static constexpr std::string_view doc =
      "Each `group` of consecutive samples has equally spaced times with one common random offset (2107.00630 "
      "Appendix I.1): the least varied mean over the noise levels. Each time alone is uniform.";
  static std::vector<Key> keys() {
    return {Key::integer("group", "64", "samples that share an offset; need not be the batch size")
                .min(1)
                .max(65536)
                .unit("samples")};
  }
  explicit Systematic(const Config& config) : strata_(static_cast<uint64_t>(config.integer("group"))) {}

  // 2107.00630 App. I.1: t_i = (u_0 + i / k) mod 1, with the i = 1 .. k in an order in which batches smaller than the
  // group see the whole range too.
  double draw(const Uniforms& u, uint64_t sample, const perrin_time_domain& domain) const {
    const uint64_t k = strata_.size();
    const double x = u(sample / k * k) + static_cast<double>(strata_.at(sample)) / static_cast<double>(k);
    return time_at_fraction(domain, x - std::floor(x));
  }

 private:
  Strata strata_;
};
PERRIN_TIMESTEPS_BY_POSITION(Systematic);

}  // namespace
}  // namespace perrin::timesteps
