// Weightings against their papers' closed forms for what the network may predict, and the learnt one as training sees
// it.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

std::vector<std::string> all_weightings() {
  std::vector<std::string> ids;
  for (const perrin_component* c : builtin("weighting", "uniform").library().components("weighting"))
    ids.emplace_back(services::view(c->id));
  return ids;
}

perrin_coefficients coefficients(const services::Component& parameterization, perrin_time at) {
  perrin_coefficients c{};
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{1}, static_cast<const perrin_time*>(&at),
                                                                  &c);
  return c;
}
perrin_coefficients coefficients(const std::string& parameterization, perrin_time at, Values values = {}) {
  return coefficients(builtin("parameterization", parameterization, std::move(values)), at);
}

// Calls f(id, coefficients) for each parameterization that is defined at this level: all but those that refuse an end.
template <class F>
void for_each_parameterization(perrin_time at, F&& f) {
  int called = 0;
  for (const perrin_component* p : builtin("parameterization", "v").library().components("parameterization")) {
    const std::string id(services::view(p->id));
    const auto component = builtin("parameterization", id);
    if (!message_of([&] { coefficients(component, at); }).empty()) continue;
    f(id, coefficients(component, at));
    ++called;
  }
  EXPECT_GE(called, at.alpha > 0 ? 5 : 3);  // epsilon, x0, v, edm, flow
}

double weight(const services::Component& weighting, perrin_time at, perrin_coefficients c) {
  double w = -1;
  weighting.invoke<&perrin_weighting::weight>(uint64_t{1}, static_cast<const perrin_time*>(&at),
                                              static_cast<const perrin_coefficients*>(&c), &w);
  return w;
}

double weight_at_step(const services::Component& weighting, int64_t step, int64_t n, perrin_time at) {
  const perrin_coefficients c{1, 0, 0, 1, 1, 0};
  double w = -1;
  weighting.invoke<&perrin_weighting::weight_at_step>(step, n, uint64_t{1}, static_cast<const perrin_time*>(&at), &c,
                                                      &w);
  return w;
}

perrin_time variance_preserving(double angle) { return {500, std::cos(angle), std::sin(angle)}; }
const std::vector<double> angles = {0.01, 0.3, 0.42, 0.8, 1.2, 1.56};
const perrin_time noise_only{999, 0, 1}, clean{0, 1, 0};

// A weighting with its values, and the paper's weight on the error of x_0 as a function of SNR = alpha^2 / sigma^2.
struct Row {
  std::string id;
  Values values;
  std::function<double(double)> on_x0;
};

std::vector<Row> rows() {
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  return {
      // 2303.09556 Sec. 3.4
      {"min-snr", {{"gamma", 5.0}}, [](double snr) { return std::min(snr, 5.0); }},
      // 2202.00512 Sec. 4
      {"snr", {}, [](double snr) { return snr; }},
      {"truncated-snr", {}, [](double snr) { return std::max(snr, 1.0); }},
      // 2204.00227 Sec. 3.2, on eps
      {"p2", {{"k", 1.0}, {"gamma", 1.0}}, [](double snr) { return snr / (1 + snr); }},
      {"p2", {{"k", 2.0}, {"gamma", 0.5}}, [](double snr) { return snr / std::sqrt(2 + snr); }},
      {"p2", {{"k", 1.0}, {"gamma", 0.0}}, [](double snr) { return snr; }},
      // 2206.00364 Table 1, s = SNR^-1/2
      {"edm",
       {{"sigma_data", 0.5}},
       [](double snr) {
         const double s = 1 / std::sqrt(snr);
         return (s * s + 0.25) / std::pow(s * 0.5, 2);
       }},
      {"learnt-uncertainty",
       {{"sigma_data", 0.7}},
       [](double snr) {
         const double s = 1 / std::sqrt(snr);
         return (s * s + 0.49) / std::pow(s * 0.7, 2);
       }},
      // 2410.19324, on eps: sigmoid(b - lambda)
      {"sigmoid", {{"bias", -1.0}}, [=](double snr) { return snr * logistic(-1 - std::log(snr)); }},
      {"sigmoid", {{"bias", 2.0}}, [=](double snr) { return snr * logistic(2 - std::log(snr)); }},
      // 2403.03206 Sec. 3.1, on the velocity: ||v||^2 = ||x_0||^2 / s^2, s = 1 / (1 + sqrt(SNR))
      {"cosmap",
       {},
       [](double snr) {
         const double s = 1 / (1 + std::sqrt(snr));
         return 2 / (M_PI * (1 - 2 * s + 2 * s * s)) / (s * s);
       }},
  };
}

// On a variance-preserving schedule the error of eps is SNR^-1 of what it is for x_0 (2202.00512 Sec. 4), and that of v
// 1 / (SNR + 1) (Appendix D).
TEST(Weightings, HaveTheirPapersForms) {
  for (const Row& row : rows())
    for (double angle : angles) {
      const perrin_time at = variance_preserving(angle);
      const double snr = std::pow(at.alpha / at.sigma, 2), on_x0 = row.on_x0(snr);
      const auto weighting = builtin("weighting", row.id, row.values);
      const std::pair<const char*, double> forms[] = {
          {"epsilon", on_x0 / snr}, {"v", on_x0 / (snr + 1)}, {"x0", on_x0}};
      for (const auto& [predicted, expected] : forms)
        EXPECT_NEAR(weight(weighting, at, coefficients(predicted, at)) / expected, 1, 1e-11)
            << row.id << " with " << predicted << " at SNR " << snr;
    }
}

// Those that weigh the error of F itself; every other one is the same loss whatever the network predicts.
const std::vector<std::string> on_prediction = {"uniform", "curriculum"};

TEST(Weightings, AreTheSameLossWhateverTheNetworkPredicts) {
  for (const std::string& id : all_weightings()) {
    if (std::count(on_prediction.begin(), on_prediction.end(), id)) continue;
    const auto weighting = builtin("weighting", id);
    for (perrin_time at : {perrin_time{3, 0.9, 0.3}, perrin_time{3, 0.2, 1.4}, perrin_time{3, 1, 12}}) {
      const double on_x0 = weight(weighting, at, coefficients("x0", at));
      // ||F - target||^2 = ||D - x_0||^2 / c_out^2
      for_each_parameterization(at, [&](const std::string& predicted, const perrin_coefficients& c) {
        EXPECT_NEAR(weight(weighting, at, c) / (c.c_out * c.c_out) / on_x0, 1, 1e-12) << id << " with " << predicted;
      });
    }
  }
}

TEST(Weightings, AreFiniteAtTheEndsOfTheSchedules) {
  std::vector<perrin_time> ends = {noise_only};
  for (const char* id : {"linear", "cosine", "edm", "flow"}) {
    const auto schedule = builtin("schedule", id);
    perrin_time_domain domain{};
    schedule.invoke<&perrin_schedule::domain>(&domain);
    for (const perrin_time& at : levels(schedule, {domain.t_min, domain.t_max})) ends.push_back(at);
  }
  for (const std::string& id : all_weightings()) {
    const auto weighting = builtin("weighting", id);
    for (const perrin_time& at : ends)
      for_each_parameterization(at, [&](const std::string& predicted, const perrin_coefficients& c) {
        const double w = weight(weighting, at, c);
        EXPECT_TRUE(std::isfinite(w) && w >= 0) << id << " with " << predicted << " at alpha " << at.alpha << ": " << w;
      });
    const double w = weight(weighting, clean, coefficients("v", clean));
    EXPECT_TRUE(std::isfinite(w) && w >= 0) << id << " without noise: " << w;
  }
}

// lambda(sigma) c_out(sigma)^2 = 1 (2206.00364 Sec. 5), and k-diffusion's Denoiser of the same preconditioning, whose
// weight on the target is sigma_data^2 / (sigma^2 + sigma_data^2) for "snr" (k_diffusion/layers.py of 4601bf0).
TEST(Weightings, OfTheEdmParameterizationAreThePeers) {
  for (double d : {0.5, 1.0})
    for (double s : {0.002, 0.3, 1.0, 80.0}) {
      const perrin_time at{s, 1, s};
      const Values values = {{"sigma_data", d}};
      const perrin_coefficients c = coefficients("edm", at, values);
      EXPECT_NEAR(weight(builtin("weighting", "edm", values), at, c), 1, 1e-12) << s;
      EXPECT_NEAR(weight(builtin("weighting", "learnt-uncertainty", values), at, c), 1, 1e-12);
      EXPECT_NEAR(weight(builtin("weighting", "snr"), at, c) / (d * d / (s * s + d * d)), 1, 1e-12) << s;
    }
}

// diffusers 0.42.1, training_utils.compute_loss_weighting_for_sd3("cosmap", sigmas) in float64.
TEST(Weightings, CosmapOfTheFlowIsThePeers) {
  const std::pair<double, double> values[] = {{0.001, 0.637894285149}, {0.1, 0.776365576058}, {0.25, 1.01859163579},
                                              {0.5, 1.27323954474},    {0.7, 1.09762029719},  {0.99, 0.64947946579}};
  for (const auto& [s, expected] : values) {
    const perrin_time at{s, 1 - s, s};
    EXPECT_NEAR(weight(builtin("weighting", "cosmap"), at, coefficients("flow", at)), expected, 1e-11) << s;
  }
}

// 2403.10348: N clusters of T / N times, the n-th stage trains on the n noisiest.
TEST(Curriculum, TakesInTheNoisiestLevelsFirst) {
  const auto curriculum = builtin("weighting", "curriculum", {{"clusters", int64_t{20}}, {"pace", 0.5}});
  const std::vector<perrin_time> times = levels(builtin("schedule", "cosine", {{"offset", 1e-9}}));
  const int64_t n = 1900;  // the k-th cluster, counted from 0, enters after step 1900 * 0.5 * k / 19 = 50 k
  const auto open = [&](int64_t step) {
    size_t from = 0;
    while (weight_at_step(curriculum, step, n, times[from]) == 0) ++from;
    for (size_t t = 0; t < 1000; ++t)
      EXPECT_EQ(weight_at_step(curriculum, step, n, times[t]), t < from ? 0 : 1) << "step " << step << " t " << t;
    return 1000 - static_cast<int>(from);
  };
  EXPECT_NEAR(open(1), 50, 1);
  for (int64_t k : {1, 2, 7, 18}) {
    EXPECT_NEAR(open(50 * k), static_cast<int>(50 * k), 1);
    EXPECT_NEAR(open(50 * k + 1), static_cast<int>(50 * k + 50), 1);
  }
  EXPECT_EQ(open(951), 1000);
  EXPECT_EQ(open(n), 1000);
  EXPECT_EQ(weight_at_step(curriculum, 1, n, noise_only), 1);
  EXPECT_EQ(weight_at_step(curriculum, 950, n, clean), 0);
  EXPECT_EQ(weight_at_step(curriculum, n, n, clean), 1);
}

// A weighting with parameters, bound to tensors of this test.
class Learnt {
 public:
  Learnt(const std::string& id, at::ScalarType dtype) : component(builtin("weighting", id)), dtype_(dtype) {
    const perrin_param_sink sink = {sizeof sink, 0, this, collect};
    component.invoke<&perrin_params::declare>(&sink);
    at::manual_seed(3);
    for (const perrin_param& p : declared_) all.push_back(initial(p));
    for (size_t i = 0; i < all.size(); ++i)
      if (declared_[i].role == PERRIN_PARAMETER) trained.push_back(all[i].set_requires_grad(true));
    std::vector<services::TensorHandle> handles;
    std::vector<perrin_tensor*> tensors;
    for (const at::Tensor& t : all) tensors.push_back(handles.emplace_back(services::wrap(t)).get());
    component.invoke<&perrin_params::bind>(static_cast<uint32_t>(tensors.size()), tensors.data());
  }
  at::Tensor operator()(const at::Tensor& c_noise, const at::Tensor& values) const {
    const services::TensorHandle c = services::wrap(c_noise), v = services::wrap(values);
    perrin_call call{};
    call.struct_size = sizeof call;
    call.n = static_cast<uint32_t>(values.numel());
    perrin_tensor* trained = nullptr;
    component.invoke<&perrin_weighting::learnt>(static_cast<const perrin_call*>(&call), c.get(), v.get(), &trained);
    return services::unwrap(services::TensorHandle(trained).get());
  }

  services::Component component;
  std::vector<at::Tensor> all, trained;

 private:
  static perrin_status* collect(void* context, const perrin_param* p) {
    static_cast<Learnt*>(context)->declared_.push_back(*p);
    return nullptr;
  }
  at::Tensor initial(const perrin_param& p) const {
    const std::vector<int64_t> sizes(p.sizes, p.sizes + p.rank);
    if (p.init == PERRIN_INIT_NORMAL) return at::randn(sizes, dtype_) * p.init_a;
    if (p.init == PERRIN_INIT_UNIFORM) return (at::rand(sizes, dtype_) * 2 - 1) * p.init_a;
    return at::zeros(sizes, dtype_) + p.init_a;
  }

  std::vector<perrin_param> declared_;
  at::ScalarType dtype_;
};

TEST(LearntUncertainty, ChangesNothingAtTheStart) {
  const Learnt learnt("learnt-uncertainty", at::kFloat);
  const at::Tensor values = at::rand({64}) * 3;
  EXPECT_TRUE(learnt(at::linspace(-1.5, 1.1, 64), values).equal(values));
  ASSERT_EQ(learnt.trained.size(), 1u);
  EXPECT_EQ(learnt.trained[0].numel(), 128);
}

// Central differences in float64 at weights away from 0.
TEST(LearntUncertainty, GradientAgreesWithFiniteDifferences) {
  const Learnt learnt("learnt-uncertainty", at::kDouble);
  const at::Tensor c = at::linspace(-1.5, 1.1, 7, at::kDouble), projection = at::randn({7}, at::kDouble);
  at::Tensor values = (at::rand({7}, at::kDouble) + 0.5).set_requires_grad(true);
  at::Tensor weight = learnt.trained[0];
  weight.detach().normal_();
  (learnt(c, values) * projection).sum().backward();
  double worst = 0;
  for (at::Tensor input : {weight, values}) {
    const at::Tensor gradient = input.grad(), flat = input.detach();
    for (int64_t i = 0; i < std::min<int64_t>(flat.numel(), 20); ++i) {
      const auto at_offset = [&](double h) {
        flat[i].add_(h);
        const double f = (learnt(c, values) * projection).sum().item<double>();
        flat[i].sub_(h);
        return f;
      };
      const double numeric = (at_offset(1e-5) - at_offset(-1e-5)) / 2e-5, analytic = gradient[i].item<double>();
      worst = std::max(worst, std::abs(numeric - analytic) / std::max(1.0, std::abs(numeric)));
    }
  }
  std::printf("learnt-uncertainty: largest error of a derivative %.1e\n", worst);
  EXPECT_LT(worst, 1e-8);
}

// 2312.02696 Sec. 2.2: the minimum over u of L / e^u + u is u = ln L, where the trained value is 1 + ln L at every
// level.
TEST(LearntUncertainty, LearnsTheLogarithmOfEachLevelsLoss) {
  const Learnt learnt("learnt-uncertainty", at::kDouble);
  const at::Tensor c = at::linspace(-1.5, 1.1, 12, at::kDouble);  // ln(sigma) / 4 of sigma 0.002 .. 80
  const at::Tensor log_loss = (c * 2).sin() * 1.5 - 0.5, loss = log_loss.exp();
  at::Tensor weight = learnt.trained[0];
  for (int step = 0; step < 4000; ++step) {
    learnt(c, loss).mean().backward();
    weight.detach().sub_(weight.grad(), 0.5);
    weight.mutable_grad().reset();
  }
  const at::Tensor u = learnt(c, at::zeros({12}, at::kDouble));  // 0 / e^u + u
  const double error = (u - log_loss).abs().max().item<double>();
  std::printf("learnt-uncertainty: losses from %.2f to %.2f, largest |u - ln L| %.4f after 4000 steps\n",
              loss.min().item<double>(), loss.max().item<double>(), error);
  EXPECT_LT(error, 0.02);
}

}  // namespace
}  // namespace perrin::testing
