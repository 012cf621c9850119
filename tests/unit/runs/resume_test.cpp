// Half the steps, a checkpoint, another process's empty composition, the other half: every bit as in one go.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/config/host_tables.hpp"
#include "host/model/tensor_file.hpp"
#include "host/runs/checkpoint.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

struct Run {
  Composition c;
  Optimizer optimizer;

  Run(const char* text, const std::string& stage)
      : c(compose(text, {"stage=[{steps=20,warmup=3,train=['denoiser']," + stage + "}]"})),
        optimizer((c->parameters.train_only({"denoiser"}), c->parameters), c.stage()) {}

  void steps(int64_t first, int64_t last) {
    for (int64_t step = first; step <= last; ++step) {
      float* g = c->parameters.gradients().data_ptr<float>();
      const float* w = c->parameters.values().const_data_ptr<float>();
      for (const Parameter* p : trained_parameters(c->parameters))
        for (int64_t i = p->offset; i < p->offset + p->count; ++i)
          g[i] = w[i] - 0.1f * static_cast<float>((i * 7 + step) % 11);
      optimizer.update(step);
    }
  }
};

// Of what is in checkpoints: padding between parameters is not.
void expect_same(const Run& a, const at::Tensor& x, const at::Tensor& y, const char* what) {
  for_each_saved(a.c->parameters, [&](const Parameter& p) {
    if (p.offset >= 0) EXPECT_TRUE(piece_of(x, p).equal(piece_of(y, p))) << what << " of " << p.name;
  });
}

void expect_same(const Run& a, const Run& b) {
  expect_same(a, a.c->parameters.values(), b.c->parameters.values(), "values");
  const std::vector<at::Tensor>&one = a.optimizer.averages().flat(), &two = b.optimizer.averages().flat();
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i) expect_same(a, one[i], two[i], Averages::prefix(i).c_str());
  const std::vector<StateTensor> x = a.optimizer.state(), y = b.optimizer.state();
  ASSERT_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i].name, y[i].name);
    EXPECT_TRUE(x[i].tensor.equal(y[i].tensor)) << x[i].name;
  }
}

void expect_resumes(const char* text, const std::string& stage) {
  SCOPED_TRACE(stage);
  const Scratch scratch;
  const auto file = scratch.path / checkpoint_name(10);
  Run whole(text, stage), first(text, stage), second(text, stage);
  whole.steps(1, 20);
  first.steps(1, 10);
  save_checkpoint(file, first.c->parameters, first.optimizer.training(), {10, 0, 0, 10}, first.c.loaded.hash);
  second.c->parameters.values().fill_(77);
  for (const at::Tensor& average : second.optimizer.averages().flat()) average.fill_(77);
  for (const StateTensor& state : second.optimizer.state()) state.tensor.fill_(77);
  const Training kept = second.optimizer.training();
  load_checkpoint(file, second.c->parameters, &kept, second.c.loaded.hash);
  second.steps(11, 20);
  expect_same(second, whole);
  EXPECT_FALSE(second.c->parameters.values().equal(first.c->parameters.values())) << "nothing moved";
}

TEST(Resume, IsBitIdenticalForEveryOptimizer) {
  for (const config::Factory& factory : config::optimizers()) {
    expect_resumes(kPoints, "lr_schedule='cosine',optimizer={use='" + factory.id + "',lr=0.01}");
    expect_resumes(kImages, "ema='power',optimizer={use='" + factory.id + "',lr=0.01,weight_decay=0.1}");
  }
}

TEST(Resume, IsBitIdenticalWithNormalisedWeights) {
  constexpr const char* text =
      "[dataset]\nuse='gaussian-mixture'\nshape=[1,8,8]\n[denoiser]\nuse='edm2-unet'\nchannels=[8]\n";
  expect_resumes(text, "optimizer={use='adamw',lr=0.01}");
  expect_resumes(text, "ema='power',optimizer={use='muon',lr=0.01}");
}

TEST(Resume, IsBitIdenticalForEveryAverage) {
  for (const std::string& ema : config::find_key(config::stage_table().keys, "ema")->choices)
    expect_resumes(kPoints, "ema='" + ema + "',ema_sigma_rel=[0.05,0.1,0.2]");
  expect_resumes(kPoints, "ema_decay=0");
}

}  // namespace
}  // namespace perrin::test
