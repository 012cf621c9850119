#include "tests/unit/plugins_a/every_sampler.hpp"

#include <cmath>

namespace perrin::testing {

services::Component three_gaussians() {
  return builtin("dataset", "gaussian-mixture", {{"components", int64_t{3}}, {"radius", 1.0}, {"deviation", 0.3}});
}

perrin_time on_path(Path path, double s) {
  const double alpha = path == Path::preserving ? 1 / std::sqrt(1 + s * s) : path == Path::straight ? 1 / (1 + s) : 1;
  return {std::atan(s), alpha, s == INFINITY ? 1 : alpha * s};
}

std::vector<perrin_time> levels_of(const Grid& grid) {
  std::vector<perrin_time> times;
  for (int i = 0; i <= grid.n; ++i) {
    const double lambda = -3 + 5. * i / grid.n;
    const bool pure = i == 0 && grid.from_pure_noise, at_end = i == grid.n && grid.to_clean;
    times.push_back(on_path(grid.path, pure ? INFINITY : at_end ? 0 : std::exp(-lambda)));
  }
  return times;
}

Sampling exact_sampling(const services::Component& mixture, const Grid& grid, BrownianPath& path) {
  Sampling sampling{levels_of(grid),
                    [&](const at::Tensor& x, const perrin_time& at) { return exact_denoised(mixture, x, at); }, nullptr,
                    [=](double log_snr) { return on_path(grid.path, std::exp(-log_snr / 2)); }};
  sampling.brownian = [&path](const perrin_time& a, const perrin_time& b, const at::Tensor& x) {
    return path(a, b, x);
  };
  return sampling;
}

std::string EverySampler::name() const {
  std::string text = sampler;
  for (const auto& [key, value] : keys) text += " " + key;
  return text;
}

std::vector<EverySampler> every_sampler() {
  std::vector<EverySampler> cases = {
      {"ddpm", {{"variance", std::string("learned-range")}}},
      {"ddim", {{"eta", 1.0}}},
      {"euler", {{"s_churn", 4.0}}},
      {"heun", {{"s_churn", 4.0}}},
      {"lms", {{"order", int64_t{2}}}},
      {"deis", {{"order", int64_t{3}}, {"lower_order_final", false}}},
      {"unipc", {{"order", int64_t{3}}, {"lower_order_final", false}}},
      {"unipc", {{"solver", std::string("bh1")}}},
      {"sa", {{"predictor_order", int64_t{4}}, {"corrector_order", int64_t{4}}}},
      {"sa", {{"predictor_order", int64_t{1}}, {"corrector_order", int64_t{1}}, {"tau", 0.0}}},
      {"pndm", {{"skip_prk_steps", true}}},
      {"dpm-adaptive", {{"order", int64_t{2}}}},
      {"dpm++2m-sde", {{"eta", 0.0}, {"solver", std::string("heun")}}},
      {"dpm++3m-sde", {{"eta", 0.5}}},
      {"kdpm2-ancestral", {{"eta", 0.0}}},
      {"restart",
       {{"s_min", std::vector<double>{0.5, 2}},
        {"s_max", std::vector<double>{1, 4}},
        {"repeats", std::vector<int64_t>{2, 1}},
        {"interval_steps", std::vector<int64_t>{2, 3}}}}};
  const services::Component any = builtin("sampler", "ddim");
  for (const perrin_component* each : any.library().components("sampler"))
    cases.push_back({std::string(each->id.data, each->id.size), {}});
  return cases;
}
bool has_flag(const services::Component& sampler, uint32_t flag) {
  return (sampler.table<perrin_sampler>().flags & flag) != 0;
}

}  // namespace perrin::testing
