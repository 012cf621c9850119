// All samplers of the library, and lists of levels on different paths to run them on.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/plugins_a/exact.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {

// alpha^2 + sigma^2 = 1, alpha + sigma = 1, alpha = 1.
enum class Path { preserving, straight, exploding };

// The level with this sigma / alpha, which may be inf and 0. t is the angle, which falls with the noise.
perrin_time on_path(Path path, double s);

struct Grid {
  Path path;
  bool from_pure_noise, to_clean;
  int n;
};
// n + 1 levels, log(alpha / sigma) from -3 to 2 in equal steps but for the ends that `grid` replaces.
std::vector<perrin_time> levels_of(const Grid& grid);

// Three Gaussians on a ring in the plane.
services::Component three_gaussians();
// Its exact D on a grid. All are borrowed.
Sampling exact_sampling(const services::Component& mixture, const Grid& grid, BrownianPath& path);

// Every sampler with defaults, and what else takes another way through the code.
struct EverySampler {
  std::string sampler;
  Values keys;
  std::string name() const;
};
std::vector<EverySampler> every_sampler();

bool has_flag(const services::Component& sampler, uint32_t flag);

}  // namespace perrin::testing
