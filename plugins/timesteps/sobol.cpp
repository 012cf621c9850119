#include <cmath>

#include "by_position.hpp"

namespace perrin::timesteps {
namespace {

constexpr int digits = 32;  // that the sequence has; beyond them each sample has random ones of its own

struct Sobol {
  static constexpr std::string_view id = "sobol", version = "0.1.0";
  static constexpr std::string_view doc =
      "The first dimension of Sobol's sequence by the sample's position, scrambled by the seed (Owen 1995): every "
      "aligned 2^m consecutive samples, for every m, have one time in each of 2^m equal parts of the schedule. Each "
      "time alone is uniform.";
  static std::vector<Key> keys() { return {}; }
  explicit Sobol(const Config&) {}

  // x = 0.a_1 a_2 ... in base 2, where a_i is the i-th lowest bit of the position, flipped or not by a random bit of
  // the node a_1 .. a_i-1 of the binary tree (Owen, "Randomly permuted (t, m, s)-nets and (t, s)-sequences").
  double draw(const Uniforms& u, uint64_t sample, const perrin_time_domain& domain) const {
    uint64_t x = 0, node = 1;
    for (int i = 0; i < digits; ++i) {
      const uint64_t digit = sample >> i & 1;
      x = x << 1 | (digit ^ u.bit(node));
      node = node << 1 | digit;
    }
    return time_at_fraction(domain, std::ldexp(static_cast<double>(x) + u(sample), -digits));
  }
};
PERRIN_TIMESTEPS_BY_POSITION(Sobol);

}  // namespace
}  // namespace perrin::timesteps
