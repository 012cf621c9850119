#include "host/model/parameters.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "host/model/denoise.hpp"
#include "host/train/objective/objective.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

constexpr const char* kTied = "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.tied'\n";

const Parameter& find(const Composition& c, const std::string& name) {
  for (const ParameterGroup& group : c->parameters.groups())
    for (const Parameter& p : group.parameters)
      if (p.name == name) return p;
  throw Error("no parameter " + name);
}

TEST(ParameterSet, RangesSplitByWeightDecayAndLeaveOutTiesAndBuffers) {
  const Composition c = compose(kTied, {}, false);
  const ParameterGroup& group = *c->parameters.group("denoiser");
  EXPECT_EQ(group.count(), 3 * 2 + 3 + 2) << "a tied parameter and buffers are not counted";
  ASSERT_EQ(group.ranges.size(), 2u);
  EXPECT_TRUE(group.ranges[0].decay);
  EXPECT_FALSE(group.ranges[1].decay);
  EXPECT_EQ(group.ranges[0].end, group.ranges[1].begin);
  const auto inside = [](const Parameter& p, const Range& r) {
    return p.offset >= r.begin && p.offset + p.count <= r.end;
  };
  EXPECT_TRUE(inside(find(c, "denoiser.in.weight"), group.ranges[0]));
  EXPECT_TRUE(inside(find(c, "denoiser.out.scale"), group.ranges[0]));
  EXPECT_TRUE(inside(find(c, "denoiser.in.bias"), group.ranges[1]));
  for (const char* own : {"denoiser.out.weight", "denoiser.seen", "denoiser.workspace"})
    EXPECT_EQ(find(c, own).offset, -1) << own;
  for (const Parameter& p : group.parameters) {
    if (p.offset < 0) continue;
    EXPECT_EQ(p.offset % 16, 0) << p.name << " does not start on a cache line";
  }
  EXPECT_EQ(find(c, "denoiser.seen").tensor.item<int64_t>(), 7);
}

TEST(ParameterSet, TiedParametersShareMemoryAndGradient) {
  const Composition c = compose(kTied, {}, false);
  c->parameters.train_only({"denoiser"});
  const Parameter &one = find(c, "denoiser.in.weight"), &two = find(c, "denoiser.out.weight");
  EXPECT_EQ(one.tensor.const_data_ptr(), two.tensor.const_data_ptr());
  EXPECT_EQ(one.tensor.const_data_ptr<float>(), c->parameters.values().const_data_ptr<float>() + one.offset);

  // Of sum((x W^T + b) W s) with x = s = 1, with respect to W: each row k of W gets h_k + (column sums of W), B = 2.
  const std::vector<uint64_t> positions = {0, 1};
  const perrin_call call = {sizeof call, 1, 5, 0, 2, positions.data(), 0, 0};
  predict(*c, call, at::ones({2, 2}), std::vector<perrin_coefficients>(2), nullptr).sum().backward();
  const at::Tensor w = one.tensor.detach();
  for (int64_t k = 0; k < 3; ++k) {
    const float row = w[k][0].item<float>() + w[k][1].item<float>(), h = row + 0.25f;
    for (int64_t j = 0; j < 2; ++j)
      EXPECT_NEAR(c->parameters.gradients()[one.offset + 2 * k + j].item<float>(), 2 * (h + row), 1e-5) << k << j;
  }
}

TEST(ParameterSet, InitialValuesDependOnSeedAndNameAlone) {
  const Composition a = compose(kPoints), b = compose(kPoints, {"dataset.count=50", "denoiser.layers=5"}),
                    c = compose(kPoints, {"experiment.seed=6"});
  for (const char* name : {"denoiser.layers.0.linear.weight", "denoiser.out.weight", "conditioner.embedding.weight"}) {
    if (std::string(name).starts_with("conditioner")) {
      const at::Tensor x = a->parameters.group("conditioner")->parameters[0].tensor;
      EXPECT_TRUE(x.equal(b->parameters.group("conditioner")->parameters[0].tensor));
      EXPECT_FALSE(x.equal(c->parameters.group("conditioner")->parameters[0].tensor));
      continue;
    }
    EXPECT_TRUE(find(a, name).tensor.equal(find(b, name).tensor)) << name << " in a network of another depth";
    EXPECT_FALSE(find(a, name).tensor.equal(find(c, name).tensor)) << name << " with another seed";
  }
}

TEST(ParameterSet, GradientsTakeMemoryFromTheFirstTrainingOn) {
  const Composition c = compose(kPoints);
  EXPECT_FALSE(c->parameters.gradients().defined());
  for (const Parameter& p : c->parameters.group("denoiser")->parameters) EXPECT_FALSE(p.tensor.requires_grad());
  c->parameters.train_only({"denoiser"});
  const void* held = c->parameters.gradients().const_data_ptr();
  EXPECT_EQ(c->parameters.gradients().sizes(), c->parameters.values().sizes());
  c->parameters.gradients().fill_(1);
  c->parameters.train_only({"conditioner"});
  EXPECT_EQ(c->parameters.gradients().const_data_ptr(), held);
  EXPECT_EQ(c->parameters.gradients().abs().max().item<float>(), 0);
}

TEST(ParameterSet, OnlyTheTrainedComponentsHaveGradients) {
  const Composition c = compose(kPoints);
  c->parameters.train_only({"denoiser"});
  for (const Parameter& p : c->parameters.group("denoiser")->parameters)
    EXPECT_TRUE(p.tensor.requires_grad()) << p.name;
  for (const Parameter& p : c->parameters.group("conditioner")->parameters)
    EXPECT_FALSE(p.tensor.requires_grad()) << p.name;
  EXPECT_EQ(c->parameters.trained_ranges().size(), 2u);
}

TEST(ParameterSet, BindingToAnAverageAndBackMovesWhatTheComponentSees) {
  const Composition c = compose(kTied, {}, false);
  const std::vector<uint64_t> positions = {0};
  const perrin_call call = {sizeof call, 0, 5, 0, 1, positions.data(), 0, 0};
  const auto output = [&] {
    return predict(*c, call, at::ones({1, 2}), std::vector<perrin_coefficients>(1), nullptr).clone();
  };
  const at::Tensor own = output();
  c->parameters.bind_to(c->parameters.values() * 0);
  EXPECT_EQ(output().abs().max().item<float>(), 0);
  c->parameters.bind_values();
  EXPECT_TRUE(output().equal(own));
}

}  // namespace
}  // namespace perrin::test
