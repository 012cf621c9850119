// Operators by name: the same bits as the direct call, whatever kind of argument.
#include "perrin/host/op.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/index.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

const perrin_host_op& api() { return service<perrin_host_op>(PERRIN_HOST_OP); }

perrin_argument tensor(const services::TensorHandle& value) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_TENSOR, 1, {}};
  a.value.tensor = value.get();
  return a;
}
perrin_argument integer(int64_t value) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_INTEGER, 1, {}};
  a.value.integer = value;
  return a;
}
perrin_argument number(double value) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_NUMBER, 1, {}};
  a.value.number = value;
  return a;
}
perrin_argument integers(const std::vector<int64_t>& values) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_INTEGERS, static_cast<uint32_t>(values.size()), {}};
  a.value.integers = values.data();
  return a;
}
perrin_argument tensors(const std::vector<perrin_tensor*>& values) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_TENSORS, static_cast<uint32_t>(values.size()), {}};
  a.value.tensors = values.data();
  return a;
}
perrin_argument named(perrin_text name, perrin_argument a) {
  a.name = name;
  return a;
}

const perrin_op* find(std::string_view name, std::string_view overload = "") {
  const perrin_op* op = nullptr;
  EXPECT_EQ(outcome(api().find(services::text(name), services::text(overload), &op)), "");
  return op;
}

std::vector<at::Tensor> call(const perrin_op* op, const std::vector<perrin_argument>& arguments, uint32_t n = 1) {
  std::vector<perrin_tensor*> results(n);
  EXPECT_EQ(outcome(api().call(op, static_cast<uint32_t>(arguments.size()), arguments.data(), n, results.data())), "");
  std::vector<at::Tensor> out;
  for (auto* result : results) {
    services::TensorHandle held(result);
    out.push_back(held ? services::unwrap(held.get()) : at::Tensor());
  }
  return out;
}

std::string failure(const perrin_op* op, const std::vector<perrin_argument>& arguments, uint32_t n = 1) {
  std::vector<perrin_tensor*> results(n + 1);
  auto text = outcome(api().call(op, static_cast<uint32_t>(arguments.size()), arguments.data(), n, results.data()));
  for (auto* result : results) EXPECT_EQ(result, nullptr) << "an output changed on failure";
  return text;
}

at::Tensor noise(at::IntArrayRef sizes, uint64_t seed = 1) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed));
}

TEST(Op, is_looked_up_once) {
  EXPECT_EQ(find("aten::add", "Tensor"), find("aten::add", "Tensor"));
  EXPECT_NE(find("aten::add", "Tensor"), find("aten::add", "Scalar"));
}

TEST(Op, scalars_defaults_and_names) {
  Balance balance;
  const at::Tensor a = noise({3, 4}), b = noise({3, 4}, 2);
  const auto ha = services::wrap(a), hb = services::wrap(b);
  const auto* add = find("aten::add", "Tensor");
  EXPECT_TRUE(call(add, {tensor(ha), tensor(hb)})[0].equal(a + b));
  EXPECT_TRUE(call(add, {tensor(ha), tensor(hb), named("alpha"_t, number(-0.5))})[0].equal(at::add(a, b, -0.5)));
  EXPECT_TRUE(
      call(add, {tensor(ha), named("alpha"_t, integer(2)), named("other"_t, tensor(hb))})[0].equal(at::add(a, b, 2)));
}

TEST(Op, lists_optional_tensors_and_one_number_for_a_pair) {
  Balance balance;
  const at::Tensor x = noise({2, 3, 8, 8}), w = noise({4, 3, 3, 3}, 2);
  const auto hx = services::wrap(x), hw = services::wrap(w);
  const auto* conv = find("aten::conv2d");
  EXPECT_TRUE(
      call(conv, {tensor(hx), tensor(hw), named("padding"_t, integers({1, 1}))})[0].equal(at::conv2d(x, w, {}, 1, 1)));
  EXPECT_TRUE(call(conv, {tensor(hx), tensor(hw), named("stride"_t, integer(2))})[0].equal(at::conv2d(x, w, {}, 2)));
  const std::vector<int64_t> size = {16, 16};
  const auto* up = find("aten::upsample_nearest2d");
  EXPECT_TRUE(call(up, {tensor(hx), integers(size)})[0].equal(at::upsample_nearest2d(x, size)));
  const std::vector<perrin_tensor*> pair = {hx.get(), hx.get()};
  EXPECT_TRUE(call(find("aten::cat"), {tensors(pair), integer(1)})[0].equal(at::cat({x, x}, 1)));
  const auto rows = services::wrap(at::full({2}, 1, at::kLong));
  const std::vector<perrin_tensor*> index = {nullptr, rows.get()};
  EXPECT_TRUE(call(find("aten::index", "Tensor"), {tensor(hx), tensors(index)})[0].equal(
      at::index(x, {std::nullopt, services::unwrap(rows.get())})));
}

TEST(Op, dtype_numbers_booleans_and_text) {
  const at::Tensor x = noise({3, 4});
  const auto hx = services::wrap(x);
  EXPECT_TRUE(
      call(find("aten::softmax", "int"), {tensor(hx), integer(1), named("dtype"_t, integer(PERRIN_FLOAT64))})[0].equal(
          at::softmax(x, 1, at::kDouble)));
  perrin_argument yes = {"keepdim"_t, PERRIN_VALUE_BOOLEAN, 1, {}};
  yes.value.integer = 1;
  const std::vector<int64_t> last = {1};
  EXPECT_EQ(call(find("aten::mean", "dim"), {tensor(hx), integers(last), yes})[0].dim(), 2);
  perrin_argument exact = {"approximate"_t, PERRIN_VALUE_STRING, 1, {}};
  exact.value.text = "tanh"_t;
  EXPECT_EQ(call(find("aten::gelu"), {tensor(hx), exact})[0].sizes(), x.sizes());
  const std::vector<int64_t> shape = {2, 2};
  EXPECT_EQ(call(find("aten::zeros"), {integers(shape), named("dtype"_t, integer(PERRIN_INT64))})[0].scalar_type(),
            at::kLong);
}

TEST(Op, several_results) {
  Balance balance;
  const at::Tensor x = noise({1, 2, 4, 4});
  const auto hx = services::wrap(x);
  const std::vector<int64_t> two = {2, 2};
  auto pooled = call(find("aten::max_pool2d_with_indices"), {tensor(hx), integers(two)}, 2);
  auto [values, indices] = at::max_pool2d_with_indices(x, two);
  EXPECT_TRUE(pooled[0].equal(values));
  EXPECT_TRUE(pooled[1].equal(indices));
}

TEST(Op, what_is_wrong_is_said) {
  Balance balance;
  const auto x = services::wrap(noise({2, 3}));
  const perrin_op* none = nullptr;
  EXPECT_EQ(outcome(api().find("aten::no_such_thing"_t, ""_t, &none)),
            "4: LibTorch has no operator aten::no_such_thing (name and overload as in its schema)");
  EXPECT_EQ(outcome(api().find("aten::size"_t, "int"_t, &none)),
            "4: aten::size.int returns something that is not a tensor");
  EXPECT_EQ(none, nullptr);
  const auto* add = find("aten::add", "Tensor");
  EXPECT_EQ(failure(add, {tensor(x)}), "6: aten::add.Tensor: argument \"other\" is missing and has no default");
  EXPECT_EQ(failure(add, {tensor(x), number(1)}),
            "6: aten::add.Tensor: argument \"other\" of type Tensor was given number");
  EXPECT_EQ(failure(add, {tensor(x), tensor(x), number(1)}),
            "6: aten::add.Tensor: argument \"alpha\" has to be given by name");
  EXPECT_EQ(failure(add, {tensor(x), named("self"_t, tensor(x))}),
            "6: aten::add.Tensor: argument \"self\" is given twice");
  EXPECT_EQ(failure(add, {tensor(x), named("beta"_t, tensor(x))}), "6: aten::add.Tensor: has no argument \"beta\"");
  EXPECT_EQ(failure(add, {named("self"_t, tensor(x)), tensor(x)}),
            "6: aten::add.Tensor: an argument by position after one by name");
  EXPECT_EQ(failure(add, {tensor(x), tensor(x)}, 2), "6: aten::add.Tensor: gives 1 tensors, 2 were asked for");
  const auto y = services::wrap(noise({5}));
  const std::string mismatch = failure(add, {tensor(x), tensor(y)});
  EXPECT_NE(mismatch.find("must match the size of tensor"), std::string::npos) << mismatch;
  EXPECT_EQ(mismatch.find("Exception raised from"), std::string::npos) << "a stack trace: " << mismatch;
}

}  // namespace
}  // namespace perrin::test
