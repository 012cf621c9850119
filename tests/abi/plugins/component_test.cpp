// Components through the typed handles: tables of any length, exceptions, kinds, a plugin in C.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/square.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

TEST(Component, a_plugin_in_c_answers) {
  auto schedule = make("abi-plain", "schedule", "plain");
  const double t[] = {0, 0.25, 1};
  double alpha[3], sigma[3], back[1];
  schedule.invoke<&perrin_schedule::marginal>(uint64_t{3}, &t[0], &alpha[0], &sigma[0]);
  EXPECT_EQ(alpha[1], 0.75);
  EXPECT_EQ(sigma[2], 1);
  const double log_snr = 2 * std::log(0.75 / 0.25);
  schedule.invoke<&perrin_schedule::t_of_log_snr>(uint64_t{1}, &log_snr, &back[0]);
  EXPECT_NEAR(back[0], 0.25, 1e-15);
}

TEST(Component, is_found_by_its_aliases) {
  const auto& library = registry().load(plugin("abi-plain"));
  const auto* plain = library.find("schedule", "plain");
  ASSERT_NE(plain, nullptr);
  EXPECT_EQ(library.find("schedule", "rectified"), plain);
  EXPECT_EQ(library.find("schedule", "straight"), plain);
  EXPECT_EQ(library.find("schedule", "straight rectified"), nullptr);
  EXPECT_EQ(library.find("schedule", ""), nullptr);
  EXPECT_EQ(library.find("sampler", "plain"), nullptr);
}

TEST(Component, a_table_of_an_older_revision_ends_where_it_says) {
  auto schedule = make("abi-plain", "schedule", "shorter");
  EXPECT_TRUE(schedule.has<&perrin_schedule::domain>());
  EXPECT_FALSE(schedule.has<&perrin_schedule::marginal>()) << "read beyond struct_size";
  perrin_time_domain domain;
  EXPECT_NO_THROW(schedule.invoke<&perrin_schedule::domain>(&domain));
  double t = 0, alpha = 0, sigma = 0;
  try {
    schedule.invoke<&perrin_schedule::marginal>(uint64_t{1}, &t, &alpha, &sigma);
    FAIL();
  } catch (const services::PluginError& error) {
    EXPECT_EQ(error.code, PERRIN_UNSUPPORTED);
    EXPECT_EQ(std::string(error.what()), "the plugin does not offer marginal");
  }
  EXPECT_EQ(schedule.extension<perrin_params>(), nullptr) << "its descriptor ends before get_extension";
}

TEST(Component, of_another_kind_is_refused) {
  auto schedule = make("abi-plain", "schedule", "plain");
  EXPECT_THROW(schedule.table<perrin_loss>(), Error);
  EXPECT_EQ(schedule.extension<perrin_params>(), nullptr);
  EXPECT_FALSE(schedule.has<&perrin_params::declare>());
}

TEST(Component, moves_and_is_destroyed_once) {
  auto one = make("abi-plain", "schedule", "plain");
  services::Component two(std::move(one));
  two = make("abi-plain", "schedule", "shorter");
  EXPECT_EQ(two.id(), "shorter");
}

// A plugin that is caught after it answered has given its outputs already.
struct Output {
  perrin_tensor* tensor = nullptr;
  ~Output() { services::ReleaseTensor()(tensor); }
};

// The loss of a plugin on `prediction`, and its gradient there.
std::pair<at::Tensor, at::Tensor> run_loss(const services::Component& loss, const at::Tensor& prediction,
                                           const at::Tensor& target) {
  const at::Tensor p = prediction.clone().set_requires_grad(true);
  auto hp = services::wrap(p), ht = services::wrap(target);
  const perrin_named_tensor inputs[] = {{"prediction"_t, hp.get()}, {"target"_t, ht.get()}};
  const auto n = static_cast<uint32_t>(prediction.size(0));
  const perrin_call call = {sizeof(perrin_call), 1, 0, 0, n, nullptr, 0, 0};
  Output values;
  loss.invoke<&perrin_loss::compute>(&call, 2u, &inputs[0], &values.tensor);
  const at::Tensor result = services::unwrap(values.tensor);
  return {result, torch::autograd::grad({result.sum()}, {p})[0]};
}

at::Tensor noise(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed));
}

TEST(Component, a_loss_in_c_equals_libtorch_bit_for_bit_with_its_gradient) {
  Balance balance;
  const at::Tensor prediction = noise({4, 3, 8, 8}, 1), target = noise({4, 3, 8, 8}, 2);
  auto [values, gradient] = run_loss(make("abi-plain", "loss", "plain-l2"), prediction, target);
  const at::Tensor p = prediction.clone().set_requires_grad(true);
  const at::Tensor direct = at::mean(at::square(p - target).flatten(1), {1});
  const at::Tensor direct_gradient = torch::autograd::grad({direct.sum()}, {p})[0];
  EXPECT_TRUE(values.equal(direct));
  EXPECT_TRUE(gradient.equal(direct_gradient));
  auto [native, native_gradient] = run_loss(make("abi-native", "loss", "native-l2"), prediction, target);
  EXPECT_TRUE(native.equal(direct));
  EXPECT_TRUE(native_gradient.equal(direct_gradient));
}

// What it gave before that was seen is released.
TEST(Component, a_tier_b_plugin_that_leaves_grad_mode_off_is_named) {
  Balance balance;
  const at::Tensor x = noise({2, 3}, 1);
  try {
    run_loss(make("abi-native", "loss", "switcher"), x, x);
    FAIL();
  } catch (const services::Misbehaviour& error) {
    EXPECT_EQ(error.message(),
              "error: the plugin left LibTorch's grad mode changed; set it in a scope (at::AutoGradMode)\n"
              "  at:  \"switcher\" (abi-native.so), in compute\n  fix: report it to the plugin's author\n");
  }
}

TEST(Component, a_thousand_instances_and_calls_keep_no_tensor) {
  Balance balance;
  const at::Tensor x = noise({2, 3}, 1);
  for (int i = 0; i < 1000; ++i) run_loss(make("abi-plain", "loss", "plain-l2"), x, x);
}

TEST(Component, a_loss_without_its_inputs_fails_with_a_status) {
  auto loss = make("abi-plain", "loss", "plain-l2");
  const perrin_call call = {sizeof(perrin_call), 1, 0, 0, 0, nullptr, 0, 0};
  perrin_tensor* values = nullptr;
  try {
    loss.invoke<&perrin_loss::compute>(&call, 0u, nullptr, &values);
    FAIL();
  } catch (const services::PluginError& error) {
    EXPECT_EQ(error.code, PERRIN_INVALID_DATA);
    EXPECT_EQ(error.where, "\"plain-l2\" (abi-plain.so), in compute: compute");
  }
  EXPECT_EQ(values, nullptr);
}

}  // namespace
}  // namespace perrin::test
