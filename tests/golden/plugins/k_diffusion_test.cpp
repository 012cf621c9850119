// Samplers against k-diffusion at commit 4601bf0 (k_diffusion/sampling.py run in float64, torch 2.11.0, lms's
// quadrature by 20 Gauss-Legendre nodes, exact for its polynomials), on
//   D(x, sigma) = x / (1 + sigma^2) + 0.3 sin(x) / (1 + sigma), x = (-15, -2, 7, 20),
//   sigmas = (10, 6, 3.5, 2, 1.2, .7, .35, .1, 0), noise of call i: sin(1 + 3 i + j) for element j,
//   noise of dpmpp_sde, _2m_sde, _3m_sde: noise_sampler(a, b) = sin(5 a + 11 b + j).
// k-diffusion has alpha = 1 alone. Written in x / alpha and sigma / alpha, each sampler has to give the same on any
// path.
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

struct Row {
  const char* call;  // k-diffusion's sample_...
  const char* sampler;
  Values keys;
  std::vector<double> expected;
};

// sigma on a path: alpha = 1, alpha^2 + sigma^2 = 1, alpha + sigma = 1.
enum class Path { exploding, preserving, straight };
perrin_time on_path(Path path, double s) {
  const double alpha = path == Path::exploding ? 1 : path == Path::preserving ? 1 / std::sqrt(1 + s * s) : 1 / (1 + s);
  return {s, alpha, alpha * s};
}

at::Tensor wave(double phase) { return at::sin(at::arange(4, at::kDouble) + phase).reshape({4, 1}); }

at::Tensor D(const at::Tensor& x, const perrin_time& at) {
  const at::Tensor y = x / at.alpha;
  const double s = at.sigma / at.alpha;
  return y / (1 + s * s) + 0.3 * at::sin(y) / (1 + s);
}

std::vector<double> run(const Row& row, Path path, const std::vector<double>& sigmas) {
  Sampling sampling{{},
                    D,
                    [](uint32_t draw, const at::Tensor&) { return wave(1 + 3. * draw); },
                    [=](double log_snr) { return on_path(path, std::exp(-log_snr / 2)); }};
  for (double s : sigmas) sampling.times.push_back(on_path(path, s));
  sampling.brownian = [](const perrin_time& a, const perrin_time& b, const at::Tensor&) {
    return wave(5 * a.t + 11 * b.t);
  };
  const at::Tensor y = at::tensor({-15., -2., 7., 20.}, at::kDouble).reshape({4, 1});
  const at::Tensor x = sampling.run(builtin("sampler", row.sampler, row.keys), y * sampling.times.front().alpha);
  const at::Tensor end = (x / sampling.times.back().alpha).contiguous();
  return {end.const_data_ptr<double>(), end.const_data_ptr<double>() + 4};
}

void expect_row(const Row& row, const std::vector<double>& sigmas, std::initializer_list<Path> paths) {
  double worst = 0;
  for (Path path : paths) {
    const std::vector<double> ours = run(row, path, sigmas);
    for (size_t j = 0; j < 4; ++j) {
      worst = std::max(worst, std::abs(ours[j] - row.expected[j]));
      EXPECT_NEAR(ours[j], row.expected[j], 1e-9)
          << row.call << ", path " << static_cast<int>(path) << ", element " << j;
    }
  }
  std::printf("k-diffusion %-40s largest difference %.1e\n", row.call, worst);
}

const std::vector<double> sigmas = {10, 6, 3.5, 2, 1.2, 0.7, 0.35, 0.1, 0};
const Values churned = {{"s_churn", 3.0}, {"s_tmin", 0.5}, {"s_tmax", 5.0}, {"s_noise", 1.05}};

TEST(GoldenKDiffusion, StepListSamplers) {
  const Row rows[] = {
      {"euler", "euler", {}, {-1.8083261518, -0.3405432134, 1.0345935588, 2.1598503552}},
      {"euler(s_churn=3, ...)", "euler", churned, {-0.7185196870, -0.2017894309, 0.2030681441, 0.9068894430}},
      {"euler_ancestral", "euler-ancestral", {}, {-0.2389962029, 0.0539502001, 0.1854233669, 0.3493342186}},
      {"euler_ancestral(eta=.6, s_noise=1.1)",
       "euler-ancestral",
       {{"eta", 0.6}, {"s_noise", 1.1}},
       {-1.0649729596, 0.0467222981, 0.6812748071, 1.4075599133}},
      {"heun", "heun", {}, {-2.3788876868, -0.5566067104, 1.5764295117, 2.6633392138}},
      {"heun(s_churn=3, ...)", "heun", churned, {-1.4959734389, -0.1428921639, 0.7546003435, 1.8349643291}},
      {"dpm_2", "kdpm2", {}, {-2.2764857472, -0.5018289518, 1.4530161983, 2.5829651215}},
      {"dpm_2_ancestral", "kdpm2-ancestral", {}, {-1.0674740043, 0.2319973472, 0.7487425679, 1.4730405183}},
      {"lms(order=1)", "lms", {{"order", int64_t{1}}}, {-1.8083261518, -0.3405432134, 1.0345935588, 2.1598503552}},
      {"lms(order=2)", "lms", {{"order", int64_t{2}}}, {-2.0206824510, -0.3968606559, 1.1958311318, 2.3690009650}},
      {"lms(order=3)", "lms", {{"order", int64_t{3}}}, {-2.0936806231, -0.4200200553, 1.2609805021, 2.4359013989}},
      {"lms", "lms", {}, {-2.1269476314, -0.4315455541, 1.2898866142, 2.4630569179}},
      {"dpmpp_2s_ancestral", "dpm++2s-ancestral", {}, {-0.5130423967, 0.1150538377, 0.3734123653, 0.7393849090}},
      {"dpmpp_2s_ancestral(eta=0)",
       "dpm++2s-ancestral",
       {{"eta", 0.0}},
       {-2.1179304128, -0.4394260901, 1.2994771853, 2.4430728175}},
      {"dpmpp_2m", "dpm++2m", {}, {-2.2287573446, -0.4527908586, 1.3545914677, 2.5822944279}},
      {"dpmpp_sde", "dpm++sde", {}, {0.6537919113, -0.3380553636, -1.1593305794, -0.6447153303}},
      {"dpmpp_sde(eta=.5)", "dpm++sde", {{"eta", 0.5}}, {-1.3746181169, -0.5179914719, 0.2818838646, 1.7217494059}},
      {"dpmpp_2m_sde", "dpm++2m-sde", {}, {0.9610707678, 0.9058728213, -0.1327879834, -0.7863040893}},
      {"dpmpp_2m_sde(solver_type='heun')",
       "dpm++2m-sde",
       {{"solver", std::string("heun")}},
       {1.1540888317, 1.0973657567, -0.1357514379, -0.9577745073}},
      {"dpmpp_2m_sde(eta=.5, s_noise=1.1)",
       "dpm++2m-sde",
       {{"eta", 0.5}, {"s_noise", 1.1}},
       {0.0923404761, 0.5441429760, 0.1077315956, 0.2968665244}},
      {"dpmpp_3m_sde", "dpm++3m-sde", {}, {1.9282310640, 1.9227502617, 0.0284468689, -1.6963975310}},
      {"dpmpp_3m_sde(eta=.5, s_noise=1.1)",
       "dpm++3m-sde",
       {{"eta", 0.5}, {"s_noise", 1.1}},
       {0.7967500805, 1.2799065304, 0.2389318595, -0.2959184765}}};
  for (const Row& row : rows) expect_row(row, sigmas, {Path::exploding, Path::preserving, Path::straight});
}

// sample_dpm_fast(model, x, .1, 10, n) makes its own levels: floor(n / 3) + 1 intervals even in log sigma, the denoiser
// called at thirds of those of order 3 and at halves of those of order 2. Ours is given these levels.
TEST(GoldenKDiffusion, DpmFast) {
  const struct {
    Row row;
    std::vector<int> orders;
  } cases[] = {
      {{"dpm_fast(n=6)", "dpm-fast", {}, {-1.9434275172, -0.3277722020, 1.0893904045, 2.4048472634}}, {3, 2, 1}},
      {{"dpm_fast(n=7)", "dpm-fast", {}, {-1.6929572463, -0.3052657951, 0.9870891753, 2.1376382644}}, {3, 3, 1}},
      {{"dpm_fast(n=8)", "dpm-fast", {}, {-2.0672866643, -0.4013964271, 1.2646684135, 2.5208529576}}, {3, 3, 2}}};
  for (const auto& each : cases) {
    std::vector<double> levels;
    for (size_t i = 0; i < each.orders.size(); ++i)
      for (int j = 0; j < each.orders[i]; ++j)
        levels.push_back(10 * std::pow(0.01, (static_cast<double>(i) + double(j) / each.orders[i]) / 3));
    levels.push_back(0.1);
    expect_row(each.row, levels, {Path::exploding, Path::preserving, Path::straight});
  }
}

// One element a call, as step sizes depend on x; alpha = 1 alone, as the tolerance is one of x.
TEST(GoldenKDiffusion, DpmAdaptive) {
  const Row rows[] = {
      {"dpm_adaptive(order=2)",
       "dpm-adaptive",
       {{"order", int64_t{2}}},
       {-2.0381129216, -0.4007559114, 1.2072015666, 2.4015089845}},
      {"dpm_adaptive", "dpm-adaptive", {}, {-2.0018142056, -0.4047013120, 1.1987506700, 2.3935645765}},
      {"dpm_adaptive(rtol=.01, ..., dcoeff=.1)",
       "dpm-adaptive",
       {{"rtol", 0.01}, {"atol", 0.002}, {"h_init", 0.3}, {"pcoeff", 0.3}, {"icoeff", 0.7}, {"dcoeff", 0.1}},
       {-1.9779980304, -0.3918306510, 1.1717588412, 2.3394949512}}};
  for (const Row& row : rows) expect_row(row, {10, 0.1}, {Path::exploding});
}

}  // namespace
}  // namespace perrin::testing
