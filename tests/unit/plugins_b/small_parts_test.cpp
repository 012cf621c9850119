// mlp, class-label, identity, l2.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/services/tensor.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

perrin_field field(const char* name, uint32_t dtype, std::vector<int64_t> sizes, uint64_t classes) {
  perrin_field f{};
  f.struct_size = sizeof f;
  f.spec = spec(std::move(sizes), dtype);
  f.spec.name = {name, std::strlen(name)};
  f.n_classes = classes;
  return f;
}

Values label_values(const std::string& name = "label") {
  return {{"width", int64_t{4}}, {"tokens", int64_t{0}}, {"drop", 0.25}, {"field", name}};
}

Bound class_label(const std::vector<perrin_field>& fields, perrin_conditioning_spec* out,
                  Values values = label_values()) {
  auto component = load("conditioner", "class-label", std::move(values));
  component.invoke<&perrin_conditioner::infer>(static_cast<uint32_t>(fields.size()), fields.data(), out);
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
  EXPECT_EQ(out.sequence, nullptr);
  EXPECT_EQ(out.concat, nullptr);
  return services::unwrap(services::TensorHandle(out.vector).get());
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ClassLabel, gives_each_class_its_row_and_dropped_ones_the_last) {
  perrin_conditioning_spec out{};
  Bound net = class_label({field("image", PERRIN_UINT8, {1, 4, 4}, 0), field("label", PERRIN_INT64, {}, 10)}, &out);
  EXPECT_EQ(out.slots, PERRIN_SLOT_VECTOR);
  EXPECT_EQ(out.vector.sizes[0], 4);
  const auto table = net.at("embedding.weight").value;
  ASSERT_EQ(table.sizes(), (std::vector<int64_t>{11, 4}));
  double p = 0;
  net.component.invoke<&perrin_conditioner::drop_probability>(&p);
  EXPECT_EQ(p, 0.25);

  const auto labels = at::tensor({3, 0, 9}, at::kLong);
  const uint8_t drop[] = {0, 1, 0};
  EXPECT_TRUE(encode(net.component, labels, nullptr).equal(table.index_select(0, labels)));
  EXPECT_TRUE(encode(net.component, labels, drop).equal(table.index_select(0, at::tensor({3, 10, 9}, at::kLong))));

  encode(net.component, labels, drop).sum().backward();
  for (int64_t row = 0; row < 11; ++row)
    EXPECT_EQ(table.grad()[row].sum().item<float>(), row == 3 || row == 9 || row == 10 ? 4 : 0) << "row " << row;
}

TEST(ClassLabel, refuses_labels_and_fields_that_are_none) {
  perrin_conditioning_spec out{};
  const auto label = field("label", PERRIN_INT64, {}, 10), image = field("image", PERRIN_UINT8, {1, 4, 4}, 0);
  const Bound net = class_label({label}, &out);
  for (int64_t bad : {int64_t{10}, int64_t{-1}}) {
    const auto message = refusal([&] { encode(net.component, at::tensor({int64_t{2}, bad}, at::kLong), nullptr); });
    EXPECT_NE(message.find("sample 1"), std::string::npos) << message;
    EXPECT_NE(message.find("class " + std::to_string(bad)), std::string::npos) << message;
    EXPECT_NE(message.find("0 to 9"), std::string::npos) << message;
  }
  EXPECT_NE(refusal([&] {
              class_label({image, label}, &out, label_values("kind"));
            }).find("it has: image, label"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              class_label({image, label}, &out, label_values("image"));
            }).find("is not a class"),
            std::string::npos);
}

TEST(Identity, gives_back_what_it_gets) {
  const auto encoder = load("encoder", "identity", {});
  const perrin_spec x = spec({3, 5});
  perrin_spec z{};
  encoder.invoke<&perrin_encoder::infer>(&x, &z);
  EXPECT_EQ(services::view(x.name), services::view(z.name));
  EXPECT_EQ(x.dtype, z.dtype);
  EXPECT_EQ(at::IntArrayRef(x.sizes, x.rank), at::IntArrayRef(z.sizes, z.rank));
  const auto value = at::randn({2, 3, 5});
  const auto handle = services::wrap(value);
  const int64_t before = services::live_tensors();
  perrin_call call{};
  call.struct_size = sizeof call;
  perrin_tensor *encoded = nullptr, *decoded = nullptr;
  encoder.invoke<&perrin_encoder::encode>(&call, handle.get(), &encoded);
  encoder.invoke<&perrin_encoder::decode>(&call, encoded, &decoded);
  EXPECT_EQ(services::unwrap(decoded).const_data_ptr(), value.const_data_ptr());
  services::TensorHandle{encoded}, services::TensorHandle{decoded};
  EXPECT_EQ(services::live_tensors(), before);
}

TEST(Mlp, infers_its_shape_and_refuses_an_image_condition) {
  const Values values = {{"width", int64_t{32}}, {"layers", int64_t{2}}};
  const Bound net = denoiser("mlp", values, spec({1, 3, 2}));
  EXPECT_EQ(forward(net.component, at::randn({4, 1, 3, 2}), at::arange(4, at::kFloat)).sizes(),
            (std::vector<int64_t>{4, 1, 3, 2}));
  perrin_conditioning_spec c{};
  c.slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_CONCAT;
  const auto message = refusal([&] { denoiser("mlp", values, spec({2}), &c); });
  EXPECT_NE(message.find("a concat condition"), std::string::npos) << message;
  EXPECT_NE(refusal([] {
              load("denoiser", "mlp", {{"width", int64_t{31}}, {"layers", int64_t{2}}});
            }).find("even"),
            std::string::npos);
}

TEST(Mlp, gives_the_same_bits_twice_and_each_sample_its_own_output) {
  const at::NoGradGuard no_grad;
  const Bound net = denoiser("mlp", {{"width", int64_t{64}}, {"layers", int64_t{3}}}, spec({2}));
  const auto x = at::randn({7, 2}), t = at::arange(7, at::kFloat).mul(100);
  const auto all = forward(net.component, x, t);
  EXPECT_TRUE(all.equal(forward(net.component, x, t)));
  double worst = 0;
  for (int64_t i = 0; i < 7; ++i)
    worst = std::max(worst, forward(net.component, x.narrow(0, i, 1), t.narrow(0, i, 1))
                                .sub(all.narrow(0, i, 1))
                                .abs()
                                .max()
                                .item<double>());
  std::printf("a sample alone against the same one in a batch of 7: at most %.2e apart\n", worst);
  EXPECT_LT(worst, 2e-6);
}

TEST(L2, is_each_samples_mean_squared_error) {
  const auto component = load("loss", "l2", {});
  const auto target = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kFloat).view({2, 2});
  const auto prediction = at::tensor({2.0, 2.0, 0.0, 8.0}, at::kFloat).view({2, 2});
  EXPECT_TRUE(loss(component, prediction, target).equal(at::tensor({0.5, 12.5}, at::kFloat)));
  EXPECT_EQ(loss(component, prediction.to(at::kBFloat16), target).scalar_type(), at::kFloat);
}

// The same loss as a portable plugin (portable_l2.cpp, through the host's op_call): values and gradient bit for bit.
TEST(L2, equals_the_portable_one_bit_for_bit) {
  const auto native = load("loss", "l2", {});
  const auto portable = load_file(PERRIN_PORTABLE_L2, "loss", "test.portable-l2", {});
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{7, 2}, {3, 1, 32, 32}, {2, 3, 5, 7}}) {
    const auto target = at::randn(sizes), a = at::randn(sizes).set_requires_grad(true);
    const auto b = a.detach().clone().set_requires_grad(true);
    const auto va = loss(native, a, target), vb = loss(portable, b, target);
    EXPECT_TRUE(va.equal(vb)) << "values " << va.sub(vb).abs().max().item<double>() << " apart";
    va.mean().backward();
    vb.mean().backward();
    EXPECT_TRUE(a.grad().equal(b.grad()))
        << "gradients " << a.grad().sub(b.grad()).abs().max().item<double>() << " apart";
  }
}

}  // namespace
}  // namespace perrin::testing
