// In few steps no deterministic sampler is far worse than ddim: every schedule, every spacing, one to six steps, every
// sampler, on mixtures of Gaussians, whose D is exact. The flow they approach is the classical Runge-Kutta method's.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "host/base/error.hpp"
#include "host/config/host_tables.hpp"
#include "host/sample/steps.hpp"
#include "tests/unit/plugins_a/every_sampler.hpp"

namespace perrin::testing {
namespace {

struct Schedule {
  std::string name;
  services::Component component;
};

std::vector<Schedule> schedules() {
  std::vector<Schedule> all;
  const services::Component any = builtin("schedule", "linear");
  for (const perrin_component* each : any.library().components("schedule")) {
    const std::string id(services::view(each->id));
    Values keys;
    if (id == "custom") keys["betas"] = std::vector<double>{0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5};
    all.push_back({id, builtin("schedule", id, keys)});
    for (uint32_t i = 0; i < each->n_keys; ++i)
      if (services::view(each->keys[i].name) == "zero_terminal_snr") {
        keys["zero_terminal_snr"] = true;
        all.push_back({id + " to pure noise", builtin("schedule", id, keys)});
      }
  }
  all.push_back({"flow, shift 3", builtin("schedule", "flow", {{"shift", 3.0}})});
  return all;
}

// Empty where the schedule has no such list.
std::vector<perrin_time> listed(const model::TimeTable& table, const std::string& spacing, int64_t n) {
  config::Sampling sampling;
  sampling.steps = n, sampling.spacing = spacing, sampling.rho = 7;
  try {
    return sample::sampling_times(table, sampling);
  } catch (const Error&) {
    return {};
  }
}

// Where x at `from` flows to: dz/dlambda = e^lambda D of z = x / sigma (2211.01095 Proposition 4.1), to log(alpha /
// sigma) = 8, of which D is the end. Beyond lambda = -12 D hardly depends on x.
at::Tensor exact_end(const services::Component& mixture, const at::Tensor& x, const perrin_time& from) {
  const auto level = [](double l) { return level_of(0, 1 / (1 + std::exp(-2 * l))); };
  const auto slope = [&](const at::Tensor& z, double l) {
    return std::exp(l) * exact_denoised(mixture, z * level(l).sigma, level(l));
  };
  constexpr int n = 500;
  double l = from.alpha > 0 ? std::max(-12.0, std::log(from.alpha / from.sigma)) : -12;
  const double h = (8 - l) / n;
  at::Tensor z = x / from.sigma;
  for (int i = 0; i < n; ++i, l += h) {
    const at::Tensor a = slope(z, l), b = slope(z + h / 2 * a, l + h / 2), c = slope(z + h / 2 * b, l + h / 2);
    z = z + h / 6 * (a + 2 * b + 2 * c + slope(z + h * c, l + h));
  }
  return exact_denoised(mixture, z * level(8).sigma, level(8));
}

// Every sampler without noise of its own, where a key can take it away. Not those that choose their own steps: they are
// held to their tolerance in convergence_test.cpp.
std::vector<std::pair<std::string, services::Component>> deterministic_samplers() {
  std::vector<std::pair<std::string, services::Component>> all;
  for (const EverySampler& each : every_sampler()) {
    Values keys = each.keys;
    const services::Component any = builtin("sampler", each.sampler, keys);
    const perrin_component* found = any.library().find("sampler", each.sampler);
    for (uint32_t i = 0; i < found->n_keys; ++i)
      for (const char* noise : {"eta", "tau"})
        if (services::view(found->keys[i].name) == noise) keys[noise] = 0.0;
    if (has_flag(any, PERRIN_SAMPLER_INVERTS | PERRIN_SAMPLER_ADAPTIVE) || keys.count("s_churn") != 0 ||
        each.sampler == "lcm" || each.sampler == "ddpm" || each.sampler == "restart")
      continue;
    all.emplace_back(each.name(), builtin("sampler", each.sampler, keys));
  }
  return all;
}

struct Worst {
  double ratio = 0;
  std::string where;
};

TEST(FewSteps, NoDeterministicSamplerIsTenTimesAsFarFromTheFlowAsDdim) {
  const config::Key* spacing_key = config::find_key(config::sampler_table().keys, "spacing");
  const services::Component mixtures[] = {
      three_gaussians(), builtin("dataset", "gaussian-mixture", {{"components", int64_t{8}}, {"deviation", 0.1}})};
  const auto samplers = deterministic_samplers();
  const services::Component ddim = builtin("sampler", "ddim");
  const at::Tensor noise = start(16, 2, 1);
  std::map<std::string, Worst> worst;
  size_t lists = 0;
  for (Schedule& schedule : schedules()) {
    const model::TimeTable table(schedule.component);
    for (const services::Component& mixture : mixtures) {
      std::map<double, at::Tensor> ends;
      for (const std::string& spacing : spacing_key->choices)
        for (int64_t n = 1; n <= 6; ++n) {
          const std::vector<perrin_time> times = listed(table, spacing, n);
          if (times.empty()) continue;
          ++lists;
          const perrin_time& first = times.front();
          const at::Tensor x = std::hypot(first.alpha, first.sigma) * noise;
          at::Tensor& end = ends[first.alpha / first.sigma];
          if (!end.defined()) end = exact_end(mixture, x, first);
          const auto distance = [&](const services::Component& sampler) {
            Sampling sampling{
                times, [&](const at::Tensor& y, const perrin_time& at) { return exact_denoised(mixture, y, at); },
                nullptr, [&](double log_snr) { return table.at_log_snr(log_snr); }};
            return std::sqrt((sampling.run(sampler, x) - end).square().mean().item<double>());
          };
          const double base = distance(ddim);
          for (const auto& [name, sampler] : samplers) {
            const double ratio = distance(sampler) / base;
            if (!(ratio <= worst[name].ratio))
              worst[name] = {ratio, schedule.name + ", " + spacing + ", " + std::to_string(n) + " steps"};
          }
        }
    }
  }
  std::printf("%zu lists; the largest distance over ddim's:\n", lists);
  for (const auto& [name, row] : worst) {
    std::printf("%-50s %6.2f  %s\n", name.c_str(), row.ratio, row.where.c_str());
    EXPECT_LT(row.ratio, 10) << name << ": " << row.where;
  }
  EXPECT_GT(lists, 2000u);
}

}  // namespace
}  // namespace perrin::testing
