#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {
namespace {

constexpr uint32_t C = PERRIN_BRANCH_CONDITIONAL, U = PERRIN_BRANCH_UNCONDITIONAL, N = PERRIN_BRANCH_NEGATIVE,
                   G = PERRIN_BRANCH_GUIDE;
const perrin_time middle{500, 0.6, 0.8};

// D by branch.
using Predictions = std::map<uint32_t, at::Tensor>;

uint32_t branches(const services::Component& guidance, const perrin_time& at = middle) {
  uint32_t mask = 0;
  guidance.invoke<&perrin_guidance::branches>(&at, &mask);
  return mask;
}

// As the host asks: what is not in the mask is not given, and `guide` comes before `combine`.
at::Tensor guided(const services::Component& guidance, const Predictions& D, const perrin_time& at = middle,
                  const perrin_time& next = clean, bool first = true, std::optional<perrin_time> begun = {}) {
  const perrin_time from = begun.value_or(at);
  const uint32_t mask = branches(guidance, at);
  const auto branch = [&](uint32_t bit) { return mask & bit ? services::wrap(D.at(bit)) : services::TensorHandle(); };
  const auto c = branch(C), u = branch(U), n = branch(N), g = branch(G), x = services::wrap(D.begin()->second);
  perrin_tensor* result = nullptr;
  if (guidance.has<&perrin_guidance::guide>()) {
    const perrin_guidance_step step{sizeof step, first,   at,      next,    from, x.get(), c.get(),
                                    u.get(),     n.get(), g.get(), nullptr, 0,    1};
    guidance.invoke<&perrin_guidance::guide>(&step, &result);
  } else {
    guidance.invoke<&perrin_guidance::combine>(&at, c.get(), u.get(), &result);
  }
  const services::TensorHandle owned(result);
  return services::unwrap(result);
}

at::Tensor constant(double value) { return at::full({2, 3}, value, at::TensorOptions(at::kFloat)); }

// Numbers without pattern, [B, 3, 2, 2] float32.
at::Tensor numbers(int64_t batch, double seed) {
  std::vector<float> values;
  for (int64_t i = 0; i < 12 * batch; ++i)
    values.push_back(static_cast<float>(std::sin(seed + 1.7 * double(i * i % 37))));
  return at::tensor(values).reshape({batch, 3, 2, 2});
}

// The same in float64 for the formulas of the tests: one sample after another, as a list of its numbers.
std::vector<std::vector<double>> samples(const at::Tensor& x) {
  std::vector<std::vector<double>> result;
  for (int64_t b = 0; b < x.size(0); ++b) {
    const at::Tensor row = x[b].flatten().to(at::kDouble).contiguous();
    result.emplace_back(row.const_data_ptr<double>(), row.const_data_ptr<double>() + row.numel());
  }
  return result;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double deviation(const std::vector<double>& x) {
  double mean = 0, square = 0;
  for (double v : x) mean += v / double(x.size());
  for (double v : x) square += (v - mean) * (v - mean) / double(x.size());
  return std::sqrt(square);
}

std::vector<double> line(double a, const std::vector<double>& x, double b, const std::vector<double>& y) {
  std::vector<double> z;
  for (size_t i = 0; i < x.size(); ++i) z.push_back(a * x[i] + b * y[i]);
  return z;
}

void expect_near(const at::Tensor& D, const std::vector<std::vector<double>>& expected, const char* situation) {
  const auto found = samples(D);
  double error = 0;
  for (size_t b = 0; b < expected.size(); ++b)
    for (size_t i = 0; i < expected[b].size(); ++i) error = std::max(error, std::abs(found[b][i] - expected[b][i]));
  EXPECT_LT(error, 1e-5) << situation;
  std::printf("%s: largest difference from the formula %.2g\n", situation, error);
}

// The guidance of two samples together and of each alone. float32 sums may round in another order.
void expect_batch_independence(const std::string& id, const Values& values, const Predictions& D) {
  const at::Tensor together = guided(builtin("guidance", id, values), D);
  for (int64_t b = 0; b < together.size(0); ++b) {
    Predictions one;
    for (const auto& [branch, tensor] : D) one[branch] = tensor.narrow(0, b, 1).contiguous();
    EXPECT_TRUE(at::allclose(guided(builtin("guidance", id, values), one)[0], together[b], 1e-6, 1e-6)) << id << b;
  }
}

void expect_values(const at::Tensor& D, double value, const char* situation) {
  EXPECT_TRUE(at::equal(D, constant(value))) << situation << ": " << D[0][0].item<float>();
}

TEST(Guidance, NoneIsTheConditionalPrediction) {
  const auto none = builtin("guidance", "none");
  EXPECT_EQ(branches(none), C);
  expect_values(guided(none, {{C, constant(2)}}), 2, "none");
}

// D_u + s (D_c - D_u) with D_c = 2, D_u = 0.5
TEST(Guidance, ClassifierFreeExtrapolatesAndAsksForWhatItNeeds) {
  const struct {
    double scale;
    uint32_t mask;
    double expected;
  } rows[] = {{0, U, 0.5}, {1, C, 2}, {0.5, C | U, 1.25}, {3, C | U, 5}};
  for (const auto& row : rows) {
    const auto guidance = builtin("guidance", "classifier-free", {{"scale", row.scale}});
    EXPECT_EQ(branches(guidance), row.mask) << "scale " << row.scale;
    expect_values(guided(guidance, {{C, constant(2)}, {U, constant(0.5)}}), row.expected, "classifier-free");
  }
}

// 2404.07724: the weight acts where sigma_lo < sigma <= sigma_hi, of sigma / alpha; one network evaluation elsewhere.
TEST(Guidance, ClassifierFreeIntervalAsksForOneBranchOutside) {
  const auto guidance =
      builtin("guidance", "classifier-free", {{"scale", 3.0}, {"interval", std::vector<double>{0.5, 2.0}}});
  const Predictions D{{C, constant(2)}, {U, constant(0.5)}};
  const struct {
    perrin_time at;
    bool inside;
  } rows[] = {{{0, 1, 0.25}, false}, {{0, 1, 0.5}, false},    {{0, 0.5, 0.375}, true}, {{0, 0.5, 0.5}, true},
              {{0, 0.5, 1}, true},   {{0, 0.5, 1.25}, false}, {{0, 0, 1}, false},      {{0, 1, 0}, false}};
  for (const auto& row : rows) {
    EXPECT_EQ(branches(guidance, row.at), row.inside ? C | U : C) << row.at.sigma / row.at.alpha;
    expect_values(guided(guidance, D, row.at), row.inside ? 5 : 2, "interval");
  }
}

TEST(Guidance, ClassifierFreeRefusesAnIntervalThatIsNone) {
  for (const std::vector<double>& interval : {std::vector<double>{1}, {2, 1}, {1, 1}, {0, 1, 2}})
    EXPECT_NE(message_of([&] {
                builtin("guidance", "classifier-free", {{"interval", interval}});
              }).find("low < high"),
              std::string::npos);
}

// 2305.08891 Eqs. 14 to 16, with phi = 0.7, of D.
TEST(Guidance, RescaleReturnsEachSamplesDeviation) {
  const at::Tensor D_c = numbers(2, 0.1), D_u = numbers(2, 0.7) * 0.5;
  const double w = 4, phi = 0.7;
  std::vector<std::vector<double>> expected;
  const auto c = samples(D_c), u = samples(D_u);
  for (size_t b = 0; b < 2; ++b) {
    const auto cfg = line(w, c[b], 1 - w, u[b]);
    expected.push_back(line(phi * deviation(c[b]) / deviation(cfg) + 1 - phi, cfg, 0, cfg));
  }
  const Values values{{"scale", w}, {"rescale_denoised", phi}};
  expect_near(guided(builtin("guidance", "classifier-free", values), {{C, D_c}, {U, D_u}}), expected, "rescale");
  const at::Tensor whole =
      guided(builtin("guidance", "classifier-free", {{"scale", w}, {"rescale_denoised", 1.0}}), {{C, D_c}, {U, D_u}});
  for (size_t b = 0; b < 2; ++b) EXPECT_NEAR(deviation(samples(whole)[b]), deviation(c[b]), 1e-6);
  expect_batch_independence("classifier-free", values, {{C, D_c}, {U, D_u}});
}

// 2304.04968: what remains of the negative direction is perpendicular to the positive one.
TEST(Guidance, PerpendicularNegativeIsThePapersFormula) {
  const at::Tensor D_c = numbers(2, 0.1), D_u = numbers(2, 0.7), D_n = numbers(2, 2.2);
  const double w = 5, w_n = 1.5;
  const auto c = samples(D_c), u = samples(D_u), n = samples(D_n);
  std::vector<std::vector<double>> expected;
  for (size_t b = 0; b < 2; ++b) {
    const auto positive = line(1, c[b], -1, u[b]), negative = line(1, n[b], -1, u[b]);
    const auto perpendicular = line(1, negative, -dot(negative, positive) / dot(positive, positive), positive);
    EXPECT_NEAR(dot(perpendicular, positive), 0, 1e-9);
    expected.push_back(line(1, u[b], w, line(1, positive, -w_n, perpendicular)));
  }
  const Values values{{"negative", int64_t{1}}, {"scale", w}, {"negative_scale", w_n}};
  const auto guidance = builtin("guidance", "perpendicular-negative", values);
  EXPECT_EQ(branches(guidance), C | U | N);
  const Predictions D{{C, D_c}, {U, D_u}, {N, D_n}};
  expect_near(guided(guidance, D), expected, "perpendicular-negative");
  expect_batch_independence("perpendicular-negative", values, D);
  int64_t label = 0;
  guidance.invoke<&perrin_negative_condition::label>(&label);
  EXPECT_EQ(label, 1);
}

// A negative direction along the positive one is no negative direction; and no direction at all is no guidance.
TEST(Guidance, PerpendicularNegativeIsNeverAgainstTheWantedClass) {
  const auto guidance = builtin("guidance", "perpendicular-negative", {{"negative", int64_t{1}}, {"scale", 3.0}});
  const at::Tensor D_c = numbers(2, 0.1), D_u = numbers(2, 0.7);
  const at::Tensor cfg = D_u + 3 * (D_c - D_u);
  EXPECT_TRUE(at::allclose(guided(guidance, {{C, D_c}, {U, D_u}, {N, D_c}}), cfg, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(guided(guidance, {{C, D_c}, {U, D_u}, {N, D_u}}), cfg, 1e-5, 1e-5));
  EXPECT_TRUE(at::equal(guided(guidance, {{C, D_u}, {U, D_u}, {N, D_u}}), D_u));
}

// One step of 2406.08070 Algorithm 2 by hand, in its own variables: eps of both branches, the guided x_0, the
// unconditional noise.
std::vector<double> algorithm_2(const std::vector<double>& x_t, const std::vector<double>& eps_c,
                                const std::vector<double>& eps_u, double lambda, const perrin_time& t,
                                const perrin_time& s) {
  const auto eps = line(1 - lambda, eps_u, lambda, eps_c);
  const auto x_0 = line(1 / t.alpha, x_t, -t.sigma / t.alpha, eps);
  return line(s.alpha, x_0, s.sigma, eps_u);
}

TEST(Guidance, CfgPlusPlusWithDdimIsThePapersAlgorithm) {
  const auto guidance = builtin("guidance", "cfg++", {{"scale", 0.6}});
  // Variance preserving; flow, alpha = 1 - sigma; variance exploding.
  const std::vector<std::vector<perrin_time>> lists = {
      {level_of(800, 0.1), level_of(500, 0.4), level_of(100, 0.9), clean},
      {{0.9, 0.1, 0.9}, {0.5, 0.5, 0.5}, {0.1, 0.9, 0.1}, clean},
      {{0, 1, 80}, {0, 1, 5}, {0, 1, 0.1}, clean}};
  for (const auto& times : lists) {
    const at::Tensor x_T = numbers(2, 0.3) * std::hypot(times[0].alpha, times[0].sigma);
    // Predictions of x_0 that depend on x and on the level.
    const auto D_c = [](const at::Tensor& x, const perrin_time& at) {
      return (x * (0.5 / (1 + at.sigma)) + 0.2).tanh();
    };
    const auto D_u = [](const at::Tensor& x, const perrin_time& at) {
      return (x * (0.4 / (1 + at.sigma)) - 0.1).tanh();
    };
    Sampling host;
    host.times = times;
    host.D = [&](const at::Tensor& x, const perrin_time& at) {
      size_t i = 0;
      while (times[i].sigma != at.sigma) ++i;
      return guided(guidance, {{C, D_c(x, at)}, {U, D_u(x, at)}}, at, times[i + 1], i == 0);
    };
    const at::Tensor found = host.run(builtin("sampler", "ddim"), x_T);

    at::Tensor x = x_T.to(at::kDouble);
    for (size_t i = 0; i + 1 < times.size(); ++i) {
      const perrin_time &t = times[i], &s = times[i + 1];
      std::vector<at::Tensor> rows;
      const auto x_t = samples(x), c = samples((x - t.alpha * D_c(x, t)) / t.sigma),
                 u = samples((x - t.alpha * D_u(x, t)) / t.sigma);
      for (size_t b = 0; b < x_t.size(); ++b)
        rows.push_back(at::tensor(algorithm_2(x_t[b], c[b], u[b], 0.6, t, s), at::kDouble).reshape({1, 3, 2, 2}));
      x = at::cat(rows);
    }
    expect_near(found, samples(x), "cfg++ with ddim");
  }
}

TEST(Guidance, CfgPlusPlusAtItsEndsAndWhereNoStepLeadsOn) {
  const Predictions D{{C, constant(2)}, {U, constant(0.5)}};
  EXPECT_EQ(branches(builtin("guidance", "cfg++", {{"scale", 0.0}})), U);
  expect_values(guided(builtin("guidance", "cfg++", {{"scale", 0.0}}), D), 0.5, "lambda 0");
  const auto half = builtin("guidance", "cfg++", {{"scale", 0.5}});
  expect_values(guided(half, D, middle, clean), 1.25, "to the clean end");
  expect_values(guided(half, D, middle, middle), 1.25, "no step");
  expect_values(guided(half, D, clean, middle), 1.25, "from the clean end, inverting");
}

// A sampler that looks between t and s is guided as strongly as at t; the step from there to s would ask for much more.
TEST(Guidance, CfgPlusPlusIsBoundedWithinAStep) {
  const Predictions D{{C, constant(2)}, {U, constant(0.5)}};
  const auto guidance = builtin("guidance", "cfg++", {{"scale", 0.5}});
  const perrin_time s{400, 0.8, 0.6}, almost_s{400.001, 0.7999, std::sqrt(1 - 0.7999 * 0.7999)};
  const at::Tensor at_t = guided(guidance, D, middle, s), between = guided(guidance, D, almost_s, s, true, middle);
  EXPECT_TRUE(at::equal(at_t, between));
  EXPECT_GT(guided(guidance, D, almost_s, s).max().item<float>(), 1000);
}

// 2410.02416 Algorithm 1 over three calls: momentum, then the bound, then the projection on D_c.
TEST(Guidance, AdaptiveProjectedIsThePapersAlgorithm) {
  const double w = 8, eta = 0.25, r = 1.5, beta = -0.75;
  const Values values{{"scale", w}, {"eta", eta}, {"norm_threshold", r}, {"momentum", beta}};
  const auto guidance = builtin("guidance", "adaptive-projected", values);
  EXPECT_EQ(branches(guidance), C | U);
  for (int trajectory = 0; trajectory < 2; ++trajectory) {  // the second starts anew
    std::vector<std::vector<double>> average(2, std::vector<double>(12, 0.0));
    for (int call = 0; call < 3; ++call) {
      const at::Tensor D_c = numbers(2, 0.1 + call), D_u = numbers(2, 0.7 + call) * (call == 1 ? 0.9 : 0.2);
      const auto c = samples(D_c), u = samples(D_u);
      std::vector<std::vector<double>> expected;
      for (size_t b = 0; b < 2; ++b) {
        average[b] = line(1, line(1, c[b], -1, u[b]), beta, average[b]);
        const double bound = std::min(1.0, r / std::sqrt(dot(average[b], average[b])));
        const auto delta = line(bound, average[b], 0, c[b]);
        const auto parallel = line(dot(delta, c[b]) / dot(c[b], c[b]), c[b], 0, c[b]);
        expected.push_back(line(1, c[b], w - 1, line(1, line(1, delta, -1, parallel), eta, parallel)));
      }
      expect_near(guided(guidance, {{C, D_c}, {U, D_u}}, middle, clean, call == 0), expected, "adaptive-projected");
    }
  }
  expect_batch_independence("adaptive-projected", values, {{C, numbers(2, 0.1)}, {U, numbers(2, 0.7)}});
}

// [2, 3, 2, 2]: ((i + shift) p mod m - h) / d, exact in float32.
at::Tensor counted(int p, int m, int h, int d, int shift = 0) {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.push_back(float((i + shift) * p % m - h) / float(d));
  return at::tensor(values).reshape({2, 3, 2, 2});
}

void expect_diffusers(const at::Tensor& D, double sum, const std::array<double, 4>& values) {
  EXPECT_NEAR(D.abs().sum().item<double>() / sum, 1, 2e-6);
  const auto flat = samples(D.reshape({1, 24}))[0];
  for (const auto& [i, value] : {std::pair{0, values[0]}, {5, values[1]}, {13, values[2]}, {23, values[3]}})
    EXPECT_NEAR(flat[static_cast<size_t>(i)], value, 1e-5 * std::max(1.0, std::abs(value))) << i;
}

// diffusers 0.42.1, guiders/adaptive_projected_guidance.py: normalized_guidance(D_c, D_u, guidance_scale=5.0, eta=0.25,
// norm_threshold=2.0, momentum_buffer=MomentumBuffer(-0.5), use_original_formulation=True), two calls on `counted`. Its
// scale is the paper's less 1.
TEST(Guidance, AdaptiveProjectedEqualsDiffusers) {
  const auto guidance = builtin("guidance", "adaptive-projected",
                                {{"scale", 6.0}, {"eta", 0.25}, {"norm_threshold", 2.0}, {"momentum", -0.5}});
  const auto call = [&](int shift) {
    return guided(guidance, {{C, counted(7, 11, 5, 4, shift)}, {U, counted(5, 13, 6, 8, shift)}}, middle, clean,
                  shift == 0);
  };
  expect_diffusers(call(0), 41.903168, {0.02219939, -3.620334, 1.648201, -1.133175});
  expect_diffusers(call(3), 48.994766, {5.351124, 1.890316, -0.9002992, 4.007478});
}

// diffusers 0.42.1, guiders/guider_utils.py: rescale_noise_cfg(D_u + 4 (D_c - D_u), D_c, 0.7) on `counted`.
TEST(Guidance, RescaleOfTheDenoisedEqualsDiffusersFormula) {
  const auto guidance = builtin("guidance", "classifier-free", {{"scale", 4.0}, {"rescale_denoised", 0.7}});
  expect_diffusers(guided(guidance, {{C, counted(7, 11, 5, 4)}, {U, counted(5, 13, 6, 8)}}), 30.732008,
                   {-1.270973, -2.426403, 0.1238922, 0.06194611});
}

// diffusers 0.42.1, tests/golden/plugins/peers.py: the denoised prediction of a DDIM step at t = 500 whose model's
// output was guided with scale 4 and rescaled by 0.7.
TEST(Guidance, RescaleOfTheOutputEqualsDiffusers) {
  const struct {
    const char* parameterization;
    double sum;
    std::array<double, 4> values;
  } rows[] = {{"epsilon", 159.699707, {-2.794583, 14.62822, -3.115495, -6.487468}},
              {"v", 32.165184, {0.6626925, 2.81822, -0.3281658, -0.5475986}},
              {"x0", 30.732008, {-1.270973, -2.426403, 0.1238922, 0.06194611}}};
  const perrin_time at = levels(builtin("schedule", "linear"), {500})[0];
  const auto guidance = builtin("guidance", "classifier-free", {{"scale", 4.0}, {"rescale", 0.7}});
  const at::Tensor x = counted(3, 17, 8, 4);
  for (const auto& row : rows) {
    perrin_coefficients c{};
    builtin("parameterization", row.parameterization)
        .invoke<&perrin_parameterization::coefficients>(uint64_t{1}, &at, &c);
    const auto D = [&](const at::Tensor& F) { return services::wrap(c.c_skip * x + c.c_out * F); };
    const auto D_c = D(counted(7, 11, 5, 4)), D_u = D(counted(5, 13, 6, 8)), x_t = services::wrap(x);
    perrin_guidance_step step{};
    step.struct_size = sizeof step, step.at = at, step.x = x_t.get(), step.conditional = D_c.get();
    step.unconditional = D_u.get(), step.c_skip = c.c_skip, step.c_out = c.c_out;
    perrin_tensor* result = nullptr;
    guidance.invoke<&perrin_guidance::guide>(&step, &result);
    expect_diffusers(services::take(result), row.sum, row.values);
  }
}

TEST(Guidance, OnlyOneRescale) {
  const Values both{{"rescale", 0.5}, {"rescale_denoised", 0.5}};
  EXPECT_NE(message_of([&] { builtin("guidance", "classifier-free", both); }).find("give one"), std::string::npos);
}

// With eta 1, no bound and no momentum it is classifier-free guidance (2410.02416 Sec. 4).
TEST(Guidance, AdaptiveProjectedContainsClassifierFree) {
  const Predictions D{{C, numbers(2, 0.1)}, {U, numbers(2, 0.7)}};
  const auto projected = builtin("guidance", "adaptive-projected",
                                 {{"scale", 4.0}, {"eta", 1.0}, {"norm_threshold", 0.0}, {"momentum", 0.0}});
  const auto classifier_free = builtin("guidance", "classifier-free", {{"scale", 4.0}});
  EXPECT_TRUE(at::allclose(guided(projected, D), guided(classifier_free, D), 1e-5, 1e-5));
  EXPECT_EQ(branches(builtin("guidance", "adaptive-projected", {{"scale", 1.0}})), C);
}

// 2406.02070 Eq. 3, with D = 2 and D_guide = 0.5.
TEST(Guidance, AutoguidanceMovesAwayFromTheGuide) {
  const struct {
    double scale;
    uint32_t mask;
    double expected;
  } rows[] = {{0, G, 0.5}, {1, C, 2}, {2, C | G, 3.5}};
  for (const auto& row : rows) {
    const auto guidance = builtin("guidance", "autoguidance", {{"guide", std::string("/")}, {"scale", row.scale}});
    EXPECT_EQ(branches(guidance), row.mask) << "scale " << row.scale;
    expect_values(guided(guidance, {{C, constant(2)}, {G, constant(0.5)}}), row.expected, "autoguidance");
    perrin_text path{};
    guidance.invoke<&perrin_guide_model::checkpoint>(&path);
    EXPECT_EQ(services::view(path), "/");
  }
}

TEST(Guidance, AutoguidanceRefusesAGuideThatIsNotThere) {
  const std::string message = message_of([] {
    builtin("guidance", "autoguidance", {{"guide", std::string("no/such/run")}});
  });
  EXPECT_NE(message.find("there is no file or folder \"no/such/run\""), std::string::npos) << message;
}

TEST(Guidance, LosesNoTensor) {
  const int64_t before = services::live_tensors();
  const Predictions D{{C, numbers(2, 0.1)}, {U, numbers(2, 0.7)}, {N, numbers(2, 2.2)}, {G, numbers(2, 0.4)}};
  for (double scale : {0.0, 1.0, 3.0}) {
    guided(builtin("guidance", "classifier-free", {{"scale", scale}, {"rescale", 0.5}}), D);
    guided(builtin("guidance", "classifier-free", {{"scale", scale}, {"rescale_denoised", 0.5}}), D);
    guided(builtin("guidance", "autoguidance", {{"scale", scale}, {"guide", std::string("/")}}), D);
    guided(builtin("guidance", "perpendicular-negative", {{"scale", scale}, {"negative", int64_t{0}}}), D);
    guided(builtin("guidance", "adaptive-projected", {{"scale", scale}, {"norm_threshold", 1.0}}), D);
  }
  guided(builtin("guidance", "cfg++"), D);
  EXPECT_EQ(services::live_tensors(), before);
}

}  // namespace
}  // namespace perrin::testing
