// class-label with `tokens`: a sequence per class for networks that attend to one.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

Bound class_label(int64_t tokens, int64_t width, perrin_conditioning_spec* out) {
  perrin_field label{};
  label.struct_size = sizeof label;
  label.spec = spec({}, PERRIN_INT64);
  label.spec.name = PERRIN_TEXT("label");
  label.n_classes = 8;
  auto component = load("conditioner", "class-label",
                        {{"width", width}, {"tokens", tokens}, {"drop", 0.1}, {"field", std::string("label")}});
  component.invoke<&perrin_conditioner::infer>(1u, &label, out);
  return Bound(std::move(component));
}

at::Tensor encode(const services::Component& conditioner, const at::Tensor& labels, const uint8_t* drop) {
  const auto handle = services::wrap(labels);
  const perrin_named_tensor fields[] = {{PERRIN_TEXT("label"), handle.get()}};
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(labels.size(0));
  perrin_conditioning out{};
  conditioner.invoke<&perrin_conditioner::encode>(&call, 1u, fields, drop, &out);
  EXPECT_EQ(out.vector, nullptr);
  EXPECT_EQ(out.concat, nullptr);
  return services::unwrap(services::TensorHandle(out.sequence).get());
}

TEST(ClassLabelTokens, gives_each_class_its_sequence_and_dropped_ones_the_last) {
  perrin_conditioning_spec out{};
  Bound net = class_label(3, 4, &out);
  EXPECT_EQ(out.slots, PERRIN_SLOT_SEQUENCE);
  ASSERT_EQ(out.sequence.rank, 2u);
  EXPECT_EQ(out.sequence.sizes[0], 3);
  EXPECT_EQ(out.sequence.sizes[1], 4);
  const auto table = net.at("embedding.weight").value;
  ASSERT_EQ(table.numel(), 9 * 3 * 4) << "eight classes and none";

  const auto labels = at::tensor({3, 0, 7}, at::kLong);
  const uint8_t drop[] = {0, 1, 0};
  const auto rows = table.view({9, 3, 4});
  EXPECT_TRUE(encode(net.component, labels, nullptr).equal(rows.index_select(0, labels)));
  const auto hidden = encode(net.component, labels, drop);
  EXPECT_TRUE(hidden.equal(rows.index_select(0, at::tensor({3, 8, 7}, at::kLong))));

  hidden.sum().backward();
  const auto reached = net.gradients.view({9, 12}).sum(1);
  EXPECT_TRUE(reached.equal(at::tensor({0, 0, 0, 12, 0, 0, 0, 12, 12}, at::kFloat)));
}

// A network that attends to the sequence tells two classes apart.
TEST(ClassLabelTokens, reach_the_network_through_cross_attention) {
  perrin_conditioning_spec c{};
  const Bound labels = class_label(5, 6, &c);
  UNet unet;
  unet.transformer_depth = {1};
  Bound net = denoiser("unet", unet.values(), spec({1, 8, 8}), &c);
  const auto x = at::randn({1, 1, 8, 8}), t = at::arange(1, at::kFloat);
  const auto of = [&](int64_t label) {
    const auto sequence = encode(labels.component, at::tensor({label}, at::kLong), nullptr);
    return forward(net.component, x, t, {{}, sequence, {}}, {.training = false});
  };
  EXPECT_TRUE(of(2).equal(of(2)));
  EXPECT_FALSE(of(2).equal(of(5)));
}

// 859,520,964: diffusers 0.42.1, UNet2DConditionModel(cross_attention_dim=768); see unet_features_test.cpp.
TEST(ClassLabelTokens, stand_for_the_text_of_stable_diffusion) {
  perrin_conditioning_spec c{};
  class_label(77, 768, &c);
  UNet unet;
  unet.channels = {320, 640, 1280, 1280};
  unet.groups = 32;
  unet.attention = {0, 1, 2};
  unet.transformer_depth = {1};
  unet.heads = 8;
  unet.head_channels = 0;
  EXPECT_EQ(parameter_count("unet", unet.values(), spec({4, 64, 64}), &c), 859520964);
}

}  // namespace
}  // namespace perrin::testing
