// What every loss of the library must hold to at its defaults, given tensors of the shapes that kind/loss.h names: a
// new one is covered with no new code. Extractors are a stand-in of two smooth layers.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/tanh.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "host/model/autocast.hpp"
#include "host/services/tensor.hpp"
#include "tests/unit/losses_first_stage/held.hpp"
#include "tests/unit/plugins_b/every.hpp"

namespace perrin::testing {
namespace {

constexpr int64_t kBatch = 3, kClasses = 5, kSize = 32, kWidth = 16;

// A sample's value follows from the others' too: their captions (InfoNCE), the discriminator's batch norm.
const std::set<std::string> kAcrossSamples = {"adversarial", "contrastive"};

Double& two_layers() {
  static Double extractor{{"one", "two"}, {{3, kSize, kSize}, {3, kSize / 2, kSize}}, [](const at::Tensor& x) {
                            const auto half = x.narrow(2, 0, kSize / 2), rest = x.narrow(2, kSize / 2, kSize / 2);
                            return std::vector<at::Tensor>{at::tanh(x * 2), at::tanh(half + rest * half)};
                          }};
  return extractor;
}

std::vector<std::string> input_names(const services::Component& loss) {
  if (!loss.has<&perrin_loss_inputs::names>()) return {"prediction", "target"};
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  loss.invoke<&perrin_loss_inputs::names>(&n, &names);
  std::vector<std::string> list;
  for (uint32_t i = 0; i < n; ++i) list.emplace_back(services::view(names[i]));
  return list;
}

// A batch of inputs as a host has them, in float64. What comes with a graph is a leaf.
class Inputs {
 public:
  explicit Inputs(const std::vector<std::string>& names) {
    for (const std::string& name : names) tensors_.emplace_back(name, make(name));
  }
  const Tensors& tensors() const { return tensors_; }

  // Each as `change` makes it; leaves stay leaves.
  Tensors changed(const std::function<at::Tensor(const at::Tensor&)>& change) const {
    Tensors list;
    for (const auto& [name, t] : tensors_) {
      list.emplace_back(name, change(t.detach()).detach().set_requires_grad(t.requires_grad()));
    }
    return list;
  }

 private:
  at::Tensor make(const std::string& name) const {
    const auto row = [](double first, double last) {
      return at::arange(kBatch, at::kDouble).mul((last - first) / (kBatch - 1)).add(first);
    };
    if (name == "label") return at::arange(kBatch, at::kLong).add(1);
    if (name == "target" || name == "x_0" || name == "x") return data_.clone();
    if (name == "posterior_x0") return row(1, 0.1);
    if (name == "log_variance_small") return row(-5, -4);
    if (name == "log_variance_large") return row(-4, -3);
    if (name == "first_step") return row(1, 0).floor();
    if (name == "steps") return at::full({kBatch}, 1000, at::kDouble);
    return with_graph(name).set_requires_grad(true);
  }
  at::Tensor with_graph(const std::string& name) const {
    // Near the data, but nowhere on it, where an absolute value has no derivative.
    if (name == "prediction" || name == "D" || name == "reconstruction") {
      const auto off = at::rand(data_.sizes(), at::kDouble).mul(0.2).sub(0.1);
      return data_ + off + off.sign() * 0.02;
    }
    if (name == "variance") return at::rand(data_.sizes(), at::kDouble).mul(2).sub(1);
    if (name == "logits") return at::randn({kBatch, kClasses}, at::kDouble);
    if (name == "last_layer") return at::randn({3, 4, 3, 3}, at::kDouble);
    if (name == "terms") return at::full({}, 1, at::kDouble);
    if (name == "z" || name.starts_with("posterior")) return at::randn({kBatch, 4, 8, 8}, at::kDouble);
    return at::randn({kBatch, kWidth}, at::kDouble);  // a vector: an extractor's layer, a condition
  }

  at::Tensor data_ = at::rand({kBatch, 3, kSize, kSize}, at::kDouble).mul(2).sub(1);
  Tensors tensors_;
};

// A loss with its parameters, if it has any.
class Loss {
 public:
  Loss(const std::string& id, at::ScalarType dtype) {
    stand_in(two_layers());
    services::Component component = held(id);
    names_ = input_names(component);
    if (component.has<&perrin_loss::infer>()) infer(component, shapes());
    if (component.extension<perrin_params>())
      bound_ = std::make_unique<Bound>(std::move(component), dtype);
    else
      plain_ = std::make_unique<services::Component>(std::move(component));
  }
  const services::Component& component() const { return bound_ ? bound_->component : *plain_; }
  const std::vector<std::string>& names() const { return names_; }
  std::vector<Declared> parameters() const { return bound_ ? bound_->declared : std::vector<Declared>{}; }

  // [B] of samples first, first + 1, ... Not in training, where a term may grow with the steps and be weighed by
  // others.
  at::Tensor values(const Tensors& inputs, uint64_t first = 0) const {
    std::vector<services::TensorHandle> handles;
    std::vector<perrin_named_tensor> named;
    int64_t n = 0;
    for (const auto& [name, tensor] : inputs) {
      named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
      if (batched(name)) n = tensor.size(0);
    }
    std::vector<uint64_t> samples(static_cast<size_t>(n));
    std::iota(samples.begin(), samples.end(), first);
    perrin_call call{};
    call.struct_size = sizeof call;
    call.n = static_cast<uint32_t>(n);
    call.samples = samples.data();
    perrin_tensor* out = nullptr;
    component().invoke<&perrin_loss::compute>(&call, static_cast<uint32_t>(named.size()), named.data(), &out);
    return services::unwrap(services::TensorHandle(out).get());
  }

  static bool batched(const std::string& name) { return name != "last_layer" && name != "terms"; }

 private:
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes() const {
    std::vector<std::pair<std::string, std::vector<int64_t>>> list;
    const Inputs in(names_);
    for (const auto& [name, t] : in.tensors())
      list.emplace_back(name, batched(name) ? t.sizes().slice(1).vec() : t.sizes().vec());
    return list;
  }

  std::unique_ptr<Bound> bound_;
  std::unique_ptr<services::Component> plain_;
  std::vector<std::string> names_;
};

at::Tensor to_float(const at::Tensor& t) { return t.is_floating_point() ? t.to(at::kFloat) : t; }
at::Tensor to_bf16_and_back(const at::Tensor& t) {
  return t.is_floating_point() ? t.to(at::kBFloat16).to(at::kFloat) : t;
}

class EveryLoss : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // the tensors are small
    at::manual_seed(0);
  }
};

TEST_P(EveryLoss, gives_one_value_per_sample) {
  const Loss loss(GetParam(), at::kFloat);
  const Inputs in(loss.names());
  const at::Tensor values = loss.values(in.changed(to_float));
  EXPECT_EQ(values.sizes(), at::IntArrayRef({kBatch}));
  EXPECT_TRUE(values.scalar_type() == at::kFloat || values.scalar_type() == at::kDouble) << values.scalar_type();
  EXPECT_TRUE(values.requires_grad());
  EXPECT_TRUE(at::isfinite(values).all().item<bool>()) << values;
}

// Along the gradient with a random part, so that the derivative is not a small difference. The step is short because a
// rectifier's kink within it adds an error of its share. Where an input has no gradient by design, as D in vlb, another
// must have one.
TEST_P(EveryLoss, has_the_gradient_of_finite_differences) {
  const Loss loss(GetParam(), at::kDouble);
  const Inputs in(loss.names());
  const auto weights = at::rand({kBatch}, at::kDouble).add(0.5);
  const auto f = [&] { return loss.values(in.tensors()).mul(weights).sum(); };
  f().backward();
  std::vector<std::pair<std::string, at::Tensor>> leaves;
  for (const auto& [name, t] : in.tensors())
    if (t.requires_grad()) leaves.emplace_back(name, t);
  for (const Declared& d : loss.parameters())
    if (d.role == PERRIN_PARAMETER) leaves.emplace_back(d.name, d.value);
  int checked = 0;
  double worst = 0;
  const at::NoGradGuard no_grad;
  for (const auto& [name, leaf] : leaves) {
    const at::Tensor gradient = leaf.grad();
    if (!gradient.defined() || gradient.norm().item<double>() == 0) continue;
    const double h = 1e-7, length = gradient.norm().item<double>();
    at::Tensor direction = at::randn_like(leaf);
    direction = direction / (2 * direction.norm()) + gradient / length;
    direction.div_(direction.norm());
    const at::Tensor before = leaf.detach().clone();
    const auto value_at = [&](double step) { return leaf.copy_(before).add_(direction, step), f().item<double>(); };
    const double numeric = (value_at(h) - value_at(-h)) / (2 * h),
                 analytic = gradient.mul(direction).sum().item<double>();
    leaf.copy_(before);
    EXPECT_NEAR(numeric / analytic, 1, 1e-5) << name << ": analytic " << analytic << ", numeric " << numeric;
    worst = std::max(worst, std::abs(numeric / analytic - 1));
    ++checked;
  }
  std::printf("%s: %d of %zu inputs and parameters have a gradient, largest relative error %.1e\n", GetParam().c_str(),
              checked, leaves.size(), worst);
  EXPECT_GT(checked, 0);
}

TEST_P(EveryLoss, keeps_samples_apart) {
  const Loss loss(GetParam(), at::kDouble);
  const Inputs in(loss.names());
  const at::Tensor together = loss.values(in.changed([](const at::Tensor& t) { return t; }));
  double worst = 0;
  for (int64_t b = 0; b < kBatch; ++b) {
    Tensors one;
    for (const auto& [name, t] : in.tensors())
      one.emplace_back(name, Loss::batched(name) ? t.detach().narrow(0, b, 1).contiguous() : t.detach());
    const double alone = loss.values(one, static_cast<uint64_t>(b))[0].item<double>();
    worst = std::max(worst, std::abs(alone / together[b].item<double>() - 1));
  }
  // The list is kept honest: what stands in it does depend on the batch.
  if (kAcrossSamples.count(GetParam()))
    EXPECT_GT(worst, 1e-6) << "take it out of kAcrossSamples";
  else
    EXPECT_LT(worst, 1e-12);
}

// A network's bfloat16 output, as float32: 8 bits of mantissa. The value is a mean over many elements, or a function of
// a few numbers near 1, to a few in a hundred.
TEST_P(EveryLoss, stays_near_itself_for_bfloat16_outputs) {
  const Loss loss(GetParam(), at::kFloat);
  const Inputs in(loss.names());
  const at::Tensor exact = loss.values(in.changed(to_float));
  Tensors rounded = in.changed(to_float);
  const Tensors bf16 = in.changed(to_bf16_and_back);
  for (size_t i = 0; i < rounded.size(); ++i)
    if (rounded[i].second.requires_grad()) rounded[i] = bf16[i];
  const auto in_bf16 = [&] {
    const model::Autocast autocast(at::kCPU, true);
    return loss.values(rounded);
  };
  const at::Tensor near = in_bf16();
  const double error = (near.to(at::kFloat) / exact - 1).abs().max().item<double>();
  std::printf("%s: largest relative difference %.1e\n", GetParam().c_str(), error);
  EXPECT_LT(error, 0.04);
}

// Another instance with the same parameters and state gives the same bits; asked twice, so does this one.
TEST_P(EveryLoss, is_its_parameters_and_state_and_nothing_else) {
  const Loss loss(GetParam(), at::kFloat), other(GetParam(), at::kFloat);
  const Inputs in(loss.names());
  const Tensors inputs = in.changed(to_float);
  const at::Tensor values = loss.values(inputs);
  EXPECT_TRUE(values.equal(loss.values(inputs)));
  const auto from = loss.parameters(), to = other.parameters();
  ASSERT_EQ(from.size(), to.size());
  for (size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].name, to[i].name);
    from[i].value.detach().mul_(1.25);  // away from what both start from
    to[i].value.detach().copy_(from[i].value.detach());
  }
  if (loss.component().extension<perrin_state>()) {
    uint64_t n = 0;
    const uint8_t* bytes = nullptr;
    loss.component().invoke<&perrin_state::save>(&n, &bytes);
    const std::vector<uint8_t> kept(bytes, bytes + n);
    other.component().invoke<&perrin_state::load>(n, kept.data());
  }
  EXPECT_TRUE(loss.values(inputs).equal(other.values(inputs)));
  if (!from.empty()) EXPECT_FALSE(values.equal(loss.values(inputs))) << "its parameters change nothing";
}

INSTANTIATE_TEST_SUITE_P(Defaults, EveryLoss, ::testing::ValuesIn(ids_of("loss")), id_as_name);

}  // namespace
}  // namespace perrin::testing
