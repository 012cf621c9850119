#include "host/train/optimizer.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "host/config/host_tables.hpp"
#include "host/train/learning_rate.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

// One parameter element of algorithm 2 of 1711.05101, in double.
struct Plain {
  double w = 0, m = 0, v = 0, ema = 0;
  void update(double g, double lr, const config::Component& o, bool decay, int64_t step, double average) {
    const double beta1 = o.get<double>("beta1"), beta2 = o.get<double>("beta2");
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / (1 - std::pow(beta1, step)), v_hat = v / (1 - std::pow(beta2, step));
    w = w * (1 - lr * (decay ? o.get<double>("weight_decay") : 0)) -
        lr * m_hat / (std::sqrt(v_hat) + o.get<double>("eps"));
    ema = average * ema + (1 - average) * w;
  }
};

// Sums of `accumulate` gradients; large enough that clipping acts at some steps and not at others.
double gradient(int64_t element, int64_t step) {
  return std::sin(0.7 * static_cast<double>(element) + 1.3 * static_cast<double>(step)) * (step % 3 == 0 ? 0.01 : 1.0);
}

// One AdamW step without gradients: what is decayed shrinks by lr weight_decay, the rest stays.
TEST(Optimizer, DecaysBiasesAndNormsWhereAllIsAskedFor) {
  for (const bool all : {false, true}) {
    const Composition c =
        compose(kPoints, {"stage=[{steps=9,optimizer={use='adamw',lr=0.1,weight_decay=0.5,decay_all=" +
                          std::string(all ? "true" : "false") + "}}]"});
    ParameterSet& set = c->parameters;
    set.train_only({"denoiser"});
    set.values().fill_(2);
    set.zero_gradients();
    Optimizer optimizer(set, c.stage());
    optimizer.update(1);
    for (const Parameter& p : set.group("denoiser")->parameters)
      EXPECT_FLOAT_EQ(p.tensor.flatten()[0].item<float>(), all || p.decay ? 2 * 0.95f : 2) << p.name;
  }
}

TEST(Optimizer, IsPlainAdamWWithClippingAccumulationDecayFlagsAndAverage) {
  const Composition c = compose(kPoints, {"stage=[{steps=20,warmup=5,lr_schedule='cosine',accumulate=2,clip_norm=1.0,"
                                          "ema_decay=0.8,optimizer={use='adamw',lr=0.02,weight_decay=0.5}}]"});
  ParameterSet& set = c->parameters;
  set.train_only({"denoiser"});
  const config::Stage& s = c.stage();
  Optimizer optimizer(set, s);
  float* values = set.values().data_ptr<float>();
  const std::vector<float> before(values, values + set.values().numel());
  std::vector<Plain> plain(before.size());
  for (size_t i = 0; i < plain.size(); ++i) plain[i].w = plain[i].ema = before[i];

  int clipped = 0;
  for (int64_t step = 1; step <= s.steps; ++step) {
    set.zero_gradients();
    double norm = 0;
    for (const Parameter& p : set.group("denoiser")->parameters) {
      for (int64_t i = p.offset; i < p.offset + p.count; ++i) {
        set.gradients().data_ptr<float>()[i] = static_cast<float>(gradient(i, step));
        norm += std::pow(static_cast<float>(gradient(i, step)) / 2.0, 2);
      }
    }
    norm = std::sqrt(norm);
    const Optimizer::Report report = optimizer.update(step);
    EXPECT_NEAR(report.grad_norm, norm, 1e-9 * norm) << step;
    EXPECT_DOUBLE_EQ(report.lr, learning_rate(s, step));
    clipped += norm > 1;
    for (const Parameter& p : set.group("denoiser")->parameters)
      for (int64_t i = p.offset; i < p.offset + p.count; ++i)
        plain[static_cast<size_t>(i)].update(static_cast<float>(gradient(i, step)) / 2.0 * std::min(1.0, 1 / norm),
                                             report.lr, s.optimizer, p.decay, step, ema_decay(0.8, step));
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(clipped, 20);

  double worst = 0, worst_ema = 0, moved = 0;
  for (const Parameter& p : set.group("denoiser")->parameters) {
    for (int64_t i = p.offset; i < p.offset + p.count; ++i) {
      const Plain& expected = plain[static_cast<size_t>(i)];
      worst = std::max(worst, std::abs(values[i] - expected.w));
      worst_ema = std::max(worst_ema, std::abs(optimizer.averaged().data_ptr<float>()[i] - expected.ema));
      moved = std::max(moved, std::abs(expected.w - before[static_cast<size_t>(i)]));
    }
  }
  std::printf(
      "20 updates, %d clipped, weights moved by up to %.3g: largest difference from plain AdamW %.2g, of the average "
      "%.2g\n",
      clipped, moved, worst, worst_ema);
  EXPECT_GT(moved, 0.05);
  EXPECT_LT(worst, 2e-6);
  EXPECT_LT(worst_ema, 2e-6);
  for (const Parameter& p : set.group("conditioner")->parameters)
    for (int64_t i = p.offset; i < p.offset + p.count; ++i)
      ASSERT_EQ(values[i], before[static_cast<size_t>(i)]) << "frozen: " << p.name;
}

// 20 steps of PyTorch 2.11.0 in float64 on golden.py's problem, one row of golden.py's output each: of AdamW, Adam,
// SGD, Adafactor, and Muon with its matrix product in float64 and AdamW for the vectors; of Lion, the program of
// 2302.06675.
struct Golden {
  const char* optimizer;
  std::vector<double> end;  // in.weight [3, 2], out.scale [2], in.bias [3]
};
const Golden kGoldens[] = {
    {"use='adamw',lr=0.05,weight_decay=0.1",
     {-0.1304017059, 0.6637415769, 0.4516814284, 0.9751491183, 0.6388827292, 0.2500483699, -0.4584905544, -0.5224884942,
      -0.6662004162, -0.8018023347, -0.2643135308}},
    {"use='adam',lr=0.05,weight_decay=0.1",
     {-0.1355770459, 0.6603002483, 0.4474191800, 0.9846136633, 0.5609711427, 0.2265019491, -0.3975666495, -0.5241596053,
      -0.6662004162, -0.8018023347, -0.2643135308}},
    {"use='sgd',lr=0.05,weight_decay=0.1",
     {-0.0181767981, 0.3760103126, 0.5040912797, 0.8750034914, 0.6290070512, 0.2668407232, -0.4025053910, -0.5618179186,
      -0.6918623900, -0.7567916289, -0.3244158153}},
    {"use='sgd',lr=0.05,weight_decay=0.1,nesterov=true",
     {-0.0082771253, 0.4558649706, 0.7017159100, 0.8789200888, 0.6141072830, 0.2253158703, -0.4000211327, -0.6857341779,
      -0.8498648788, -0.7627115827, -0.3100911174}},
    {"use='sgd',lr=0.05,weight_decay=0.1,momentum=0",
     {0.1612895293, 0.4057912506, 0.6034082435, 0.6806246099, 0.5112892984, -0.1048999706, -0.3817472354, -0.5371460397,
      -0.7313496120, -0.6823144300, -0.2118507112}},
    {"use='lion',lr=0.05,weight_decay=0.1",
     {-0.1065550943, 0.7956181573, 0.5166073086, 1.1248565109, 0.6677309388, 0.1895299453, -0.4125139861, -0.5983514832,
      -0.7441480038, -0.7589653902, -0.2375816690}},
    {"use='adafactor',lr=0.5,weight_decay=0.1",
     {-0.0000000000, 0.4412367034, 0.8066145531, 0.8921429326, 0.6459166536, -0.0086268920, -0.4993331861,
      -0.7668371137, -0.9961377199, -0.7426667399, -0.2222500039}},
    {"use='muon',lr=0.05,weight_decay=0.1",
     {0.3094024282, 0.2613630016, -0.2231401525, 0.2732793124, 0.3954226620, -0.2089440938, -0.4584905544,
      -0.5224884942, -0.6662004162, -0.8018023347, -0.2643135308}},
};

TEST(Optimizer, EveryOneTakesThePeersSteps) {
  for (const Golden& golden : kGoldens) {
    const Composition c = compose("[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.tied'\n",
                                  {"stage=[{clip_norm=0,optimizer={" + std::string(golden.optimizer) + "}}]"}, false);
    ParameterSet& set = c->parameters;
    set.train_only({"denoiser"});
    Optimizer optimizer(set, c.stage());
    std::vector<float*> w, g;
    for (const char* name : {"denoiser.in.weight", "denoiser.out.scale", "denoiser.in.bias"})
      for (const Parameter& p : set.group("denoiser")->parameters)
        for (int64_t i = 0; p.name == name && i < p.count; ++i) {
          w.push_back(set.values().data_ptr<float>() + p.offset + i);
          g.push_back(set.gradients().data_ptr<float>() + p.offset + i);
        }
    ASSERT_EQ(w.size(), golden.end.size());
    for (size_t i = 0; i < w.size(); ++i) *w[i] = static_cast<float>(0.5 * std::cos(1.7 * static_cast<double>(i)));
    for (int64_t step = 1; step <= 20; ++step) {
      for (size_t i = 0; i < w.size(); ++i) {
        const double at = static_cast<double>(i);
        *g[i] = static_cast<float>((1 + 0.5 * std::sin(at)) * (*w[i] - std::sin(0.6 * at)));
      }
      optimizer.update(step);
    }
    double worst = 0;
    for (size_t i = 0; i < w.size(); ++i) worst = std::max(worst, std::abs(*w[i] - golden.end[i]));
    std::printf("%-50s 20 steps, %.1e from the peer's\n", golden.optimizer, worst);
    EXPECT_LT(worst, 2e-6) << golden.optimizer;
  }
  for (const config::Factory& factory : config::optimizers())
    EXPECT_TRUE(std::any_of(
        std::begin(kGoldens), std::end(kGoldens),
        [&](const Golden& golden) { return std::string(golden.optimizer).starts_with("use='" + factory.id + "'"); }))
        << factory.id << " has no outside value";
}

// A composition of every optimizer, with averages, large enough that its passes are cut for threads.
template <class F>
void for_each_optimizer(F&& f) {
  for (const config::Factory& factory : config::optimizers()) {
    SCOPED_TRACE(factory.id);
    const Composition c = compose("[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='mlp'\nwidth=192\n",
                                  {"stage=[{optimizer={use='" + factory.id + "',lr=0.01,weight_decay=0.1}}]"}, false);
    c->parameters.train_only({"denoiser"});
    f(factory.id, c);
  }
}

TEST(Optimizer, AGradientThatIsNotFiniteChangesNothing) {
  for_each_optimizer([](const std::string&, const Composition& c) {
    ParameterSet& set = c->parameters;
    Optimizer optimizer(set, c.stage());
    const at::Tensor before = set.values().clone();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      set.zero_gradients();
      set.gradients().data_ptr<float>()[3] = bad;
      EXPECT_FALSE(std::isfinite(optimizer.update(1).grad_norm));
      EXPECT_TRUE(set.values().equal(before));
      EXPECT_TRUE(optimizer.averaged().equal(before));
      ASSERT_FALSE(optimizer.state().empty());
      for (const StateTensor& state : optimizer.state())
        EXPECT_EQ(state.tensor.abs().max().item<float>(), 0) << state.name;
    }
  });
}

// Muon's matrix products are LibTorch's, whose bits may follow the threads.
TEST(Optimizer, BitsDoNotDependOnThreads) {
  const int threads = at::get_num_threads();
  for_each_optimizer([](const std::string& id, const Composition& c) {
    const at::Tensor before = c->parameters.values().clone();
    std::vector<at::Tensor> ends;
    for (const int n : {1, 2, 3}) {
      at::set_num_threads(n);
      c->parameters.values().copy_(before);
      Optimizer optimizer(c->parameters, c.stage());
      for (int64_t step = 1; step <= 3; ++step) {
        float* g = c->parameters.gradients().data_ptr<float>();
        for (int64_t i = 0; i < before.numel(); ++i) g[i] = static_cast<float>(gradient(i, step));
        optimizer.update(step);
      }
      ends.push_back(at::cat({c->parameters.values(), optimizer.averaged()}));
    }
    EXPECT_FALSE(ends[0].narrow(0, 0, before.numel()).equal(before));
    for (const at::Tensor& end : ends)
      if (id != "muon") EXPECT_TRUE(end.equal(ends[0]));
    std::printf("%-10s %s\n", id.c_str(), ends[1].equal(ends[0]) && ends[2].equal(ends[0]) ? "equal" : "different");
  });
  at::set_num_threads(threads);
}

TEST(Optimizer, WithoutADecayThereIsNoAverage) {
  const Composition c = compose(kPoints, {"stage=[{ema_decay=0}]"});
  Optimizer optimizer(c->parameters, c.stage());
  EXPECT_TRUE(optimizer.averages().flat().empty());
  EXPECT_TRUE(optimizer.averaged().is_same(c->parameters.values()));
}

}  // namespace
}  // namespace perrin::test
