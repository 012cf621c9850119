#include "inception_blocks.hpp"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

namespace inception {

using perrin::Init;
using Shapes = std::vector<Convolution::Shape>;

Convolution::Convolution(perrin::Parameters& p, const std::string& block, int64_t in, const Shape& shape)
    : shape_(shape) {
  const std::string name = block.empty() || shape.name.empty() ? block + shape.name : block + "." + shape.name;
  const int64_t fan_in = in * shape.kernel.height * shape.kernel.width, out = shape.channels;
  perrin::Parameters::Options undecayed, buffer;
  undecayed.no_decay = true;
  buffer.role = PERRIN_BUFFER;
  const Init init = Init::normal(std::sqrt(2.0 / static_cast<double>(fan_in)));
  weight_ = &p.add(name + ".conv.weight", {out, in, shape.kernel.height, shape.kernel.width}, init);
  scale_ = &p.add(name + ".bn.weight", {out}, Init::ones(), undecayed);
  shift_ = &p.add(name + ".bn.bias", {out}, Init::zeros(), undecayed);
  mean_ = &p.add(name + ".bn.running_mean", {out}, Init::zeros(), buffer);
  variance_ = &p.add(name + ".bn.running_var", {out}, Init::ones(), buffer);
}

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  const auto h =
      at::conv2d(x, *weight_, {}, {shape_.stride, shape_.stride}, {shape_.padding.height, shape_.padding.width});
  return at::relu(at::batch_norm(h, *scale_, *shift_, *mean_, *variance_, false, 0, 1e-3, false));
}

at::Tensor pooled(const at::Tensor& x, Pool pool) {
  switch (pool) {
    case Pool::none:
      return x;
    case Pool::average:
      return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1});
    case Pool::average_inside:
      return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, false, false);
    case Pool::largest:
      return at::max_pool2d(x, {3, 3}, {1, 1}, {1, 1});
    case Pool::halving:
      return at::max_pool2d(x, {3, 3}, {2, 2});
  }
  return x;
}

at::Tensor Branch::operator()(const at::Tensor& x) const {
  at::Tensor h = pooled(x, pool);
  for (const Convolution& convolution : chain) h = convolution(h);
  if (fork.empty()) return h;
  std::vector<at::Tensor> ends;
  for (const Convolution& convolution : fork) ends.push_back(convolution(h));
  return at::cat(ends, 1);
}

at::Tensor Block::operator()(const at::Tensor& x) const {
  std::vector<at::Tensor> ends;
  for (const Branch& branch : branches) ends.push_back(branch(x));
  return at::cat(ends, 1);
}

namespace {

void add(Block& block, const Plan& plan, const std::string& name, int64_t in, Pool pool, const Shapes& chain,
         const Shapes& fork = {}) {
  Branch& branch = block.branches.emplace_back(Branch{pool, {}, {}});
  for (const Convolution::Shape& shape : chain) {
    branch.chain.emplace_back(plan.p, name, in, shape);
    in = shape.channels;
  }
  int64_t out = fork.empty() ? in : 0;
  for (const Convolution::Shape& shape : fork) {
    branch.fork.emplace_back(plan.p, name, in, shape);
    out += shape.channels;
  }
  block.channels += out;
}

constexpr Size k3 = {3, 3}, k5 = {5, 5}, wide7 = {1, 7}, high7 = {7, 1}, wide3 = {1, 3}, high3 = {3, 1};
constexpr Size p0 = {0, 0}, p1 = {1, 1}, p2 = {2, 2}, across = {0, 3}, along = {3, 0}, across1 = {0, 1},
               along1 = {1, 0};

}  // namespace

Block a(const Plan& plan, const std::string& name, int64_t in, int64_t pool_channels) {
  Block block;
  add(block, plan, name, in, Pool::none, {{"branch1x1", 64}});
  add(block, plan, name, in, Pool::none, {{"branch5x5_1", 48}, {"branch5x5_2", 64, k5, p2}});
  add(block, plan, name, in, Pool::none,
      {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, k3, p1}, {"branch3x3dbl_3", 96, k3, p1}});
  add(block, plan, name, in, plan.average, {{"branch_pool", pool_channels}});
  return block;
}

Block b(const Plan& plan, const std::string& name, int64_t in) {
  Block block;
  add(block, plan, name, in, Pool::none, {{"branch3x3", 384, k3, p0, 2}});
  add(block, plan, name, in, Pool::none,
      {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, k3, p1}, {"branch3x3dbl_3", 96, k3, p0, 2}});
  add(block, plan, name, in, Pool::halving, {});
  return block;
}

Block c(const Plan& plan, const std::string& name, int64_t in, int64_t inner) {
  Block block;
  add(block, plan, name, in, Pool::none, {{"branch1x1", 192}});
  add(block, plan, name, in, Pool::none,
      {{"branch7x7_1", inner}, {"branch7x7_2", inner, wide7, across}, {"branch7x7_3", 192, high7, along}});
  add(block, plan, name, in, Pool::none,
      {{"branch7x7dbl_1", inner},
       {"branch7x7dbl_2", inner, high7, along},
       {"branch7x7dbl_3", inner, wide7, across},
       {"branch7x7dbl_4", inner, high7, along},
       {"branch7x7dbl_5", 192, wide7, across}});
  add(block, plan, name, in, plan.average, {{"branch_pool", 192}});
  return block;
}

Block d(const Plan& plan, const std::string& name, int64_t in) {
  Block block;
  add(block, plan, name, in, Pool::none, {{"branch3x3_1", 192}, {"branch3x3_2", 320, k3, p0, 2}});
  add(block, plan, name, in, Pool::none,
      {{"branch7x7x3_1", 192},
       {"branch7x7x3_2", 192, wide7, across},
       {"branch7x7x3_3", 192, high7, along},
       {"branch7x7x3_4", 192, k3, p0, 2}});
  add(block, plan, name, in, Pool::halving, {});
  return block;
}

Block e(const Plan& plan, const std::string& name, int64_t in) {
  Block block;
  add(block, plan, name, in, Pool::none, {{"branch1x1", 320}});
  add(block, plan, name, in, Pool::none, {{"branch3x3_1", 384}},
      {{"branch3x3_2a", 384, wide3, across1}, {"branch3x3_2b", 384, high3, along1}});
  add(block, plan, name, in, Pool::none, {{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, k3, p1}},
      {{"branch3x3dbl_3a", 384, wide3, across1}, {"branch3x3dbl_3b", 384, high3, along1}});
  add(block, plan, name, in, plan.average, {{"branch_pool", 192}});
  return block;
}

}  // namespace inception
