// Forced weight normalisation (2312.02696, equation 66): after every step each row of a weight that asked for it has
// the norm sqrt(its elements), which is magnitude 1 in the paper's words.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "host/config/host_tables.hpp"
#include "host/train/optimizer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

constexpr const char* kSmall = "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.normalised'\n";
constexpr const char* kEdm2 =
    "[dataset]\nuse='gaussian-mixture'\nshape=[1,8,8]\n[denoiser]\nuse='edm2-unet'\nchannels=[8,16]\n";

Composition made(const char* text, const std::string& optimizer, const std::vector<std::string>& more = {}) {
  std::vector<std::string> set = {"stage=[{clip_norm=0,ema_decay=0.5,ema='constant',optimizer={use='" + optimizer +
                                  "',lr=0.05}}]"};
  set.insert(set.end(), more.begin(), more.end());
  Composition c = compose(text, set, false);
  c->parameters.train_only({"denoiser"});
  return c;
}

void train(const Composition& c, Optimizer& optimizer, int64_t steps) {
  for (int64_t step = 1; step <= steps; ++step) {
    float* g = c->parameters.gradients().data_ptr<float>();
    for (int64_t i = 0; i < c->parameters.gradients().numel(); ++i)
      g[i] = static_cast<float>(std::sin(0.7 * static_cast<double>(i) + 1.3 * static_cast<double>(step)));
    optimizer.update(step);
  }
}

at::Tensor piece(const at::Tensor& flat, const Parameter& p) { return flat.narrow(0, p.offset, p.count).view(p.sizes); }

// The largest distance of a row's root mean square from 1.
double drift(const at::Tensor& w) {
  return w.to(at::kDouble).flatten(1).square().mean(1).sqrt().sub(1).abs().max().item<double>();
}

TEST(Normalise, EveryRowHasItsNormFromTheStartAndAfterEveryStep) {
  double worst = 0;
  int64_t weights = 0;
  for (const config::Factory& factory : config::optimizers()) {
    const Composition c = made(kEdm2, factory.id);
    Optimizer optimizer(c->parameters, c.stage());
    const at::Tensor before = c->parameters.values().clone();
    for (int64_t steps : {0, 1, 3}) {
      train(c, optimizer, steps);
      for (const Parameter& p : c->parameters.group("denoiser")->parameters) {
        if (p.role != PERRIN_PARAMETER) continue;
        ASSERT_EQ(p.normalise, p.name.ends_with(".weight")) << p.name;
        if (!p.normalise) continue;
        ++weights;
        const double here = drift(piece(c->parameters.values(), p));
        EXPECT_LT(here, 1e-6) << factory.id << ", " << p.name << " after " << steps;
        worst = std::max(worst, here);
        EXPECT_EQ(steps == 0, piece(c->parameters.values(), p).equal(piece(before, p))) << p.name << " did not move";
      }
    }
  }
  std::printf("%lld weights of edm2-unet: magnitude of a row at most %.1e from 1\n", static_cast<long long>(weights),
              worst);
}

TEST(Normalise, OtherParametersAndRowsOfZerosAreLeftAlone) {
  const Composition on = made(kSmall, "adamw"), off = made(kSmall, "adamw", {"denoiser.normalise=false"});
  Optimizer one(on->parameters, on.stage()), two(off->parameters, off.stage());
  EXPECT_TRUE(on->parameters.normalises());
  EXPECT_FALSE(off->parameters.normalises());
  const auto& p = on->parameters.group("denoiser")->parameters;
  EXPECT_EQ(piece(on->parameters.values(), p[2]).abs().max().item<float>(), 0) << "a row of zeros at the start";
  for (int64_t steps : {0, 4}) {
    train(on, one, steps);
    train(off, two, steps);
    EXPECT_TRUE(piece(on->parameters.values(), p[1]).equal(piece(off->parameters.values(), p[1])));
    EXPECT_TRUE(piece(one.averaged(), p[1]).equal(piece(two.averaged(), p[1]))) << "averaged in another pass";
    EXPECT_LT(drift(piece(on->parameters.values(), p[0])), 1e-6);
    EXPECT_GT(drift(piece(off->parameters.values(), p[0])), 1e-2);
  }
  on->parameters.train_only({});
  EXPECT_FALSE(on->parameters.normalises()) << "frozen";
}

TEST(Normalise, AveragesTakeTheNormalisedWeights) {
  const Composition c = made(kSmall, "sgd");
  Optimizer optimizer(c->parameters, c.stage());
  const Parameter& kept = c->parameters.group("denoiser")->parameters[0];
  const at::Tensor before = piece(c->parameters.values(), kept).to(at::kDouble);
  train(c, optimizer, 1);
  const at::Tensor now = piece(c->parameters.values(), kept).to(at::kDouble);
  EXPECT_GT((now - before).abs().max().item<double>(), 1e-3);
  EXPECT_LT((piece(optimizer.averaged(), kept) - (before + now) * 0.5).abs().max().item<double>(), 1e-6);
}

TEST(Normalise, BitsDoNotDependOnThreads) {
  const int threads = at::get_num_threads();
  std::vector<at::Tensor> ends;
  for (const int n : {1, 2, 3}) {
    at::set_num_threads(n);
    const Composition c = made(kEdm2, "adamw", {"denoiser.channels=[32,64]"});
    Optimizer optimizer(c->parameters, c.stage());
    train(c, optimizer, 2);
    ends.push_back(c->parameters.values());
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(ends[1].equal(ends[0]));
  EXPECT_TRUE(ends[2].equal(ends[0]));
}

TEST(Normalise, AVectorIsRefused) {
  const std::string message = message_of([] { compose(kSmall, {"denoiser.rank=1"}, false); });
  EXPECT_NE(message.find("parameter \"kept\" cannot be normalised: that is for trained parameters of two dimensions"),
            std::string::npos)
      << message;
}

// Gradient checks run in float64, which the flat kernels do not.
TEST(Normalise, Float64StartsFromTheSameValues) {
  const Composition c = compose(kSmall, {}, false);
  Model wide(c.loaded, registry());
  wide.build_parameters({}, at::kDouble);
  const Parameter &a = c->parameters.group("denoiser")->parameters[0],
                  &b = wide.parameters.group("denoiser")->parameters[0];
  EXPECT_LT((a.tensor.to(at::kDouble) - b.tensor).abs().max().item<double>(), 1e-6);
  EXPECT_LT(drift(b.tensor), 1e-14);
}

}  // namespace
}  // namespace perrin::test
