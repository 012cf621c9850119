// What every conditioner of the library must hold to, small where its keys let it be: a new one is covered with no new
// code, unless it needs a file.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "host/model/autocast.hpp"
#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_b/every.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

const std::vector<std::string> kFields = {"score", "place"};  // of a list that has no default
const Values kSmall = {{"width", int64_t{16}}, {"layers", int64_t{2}}, {"heads", int64_t{2}}};

// The fields of the dataset that `conditioner` speaks of, and a class.
Named batch() {
  at::manual_seed(1);
  return {{"image", at::randint(0, 256, {4, 3, 12, 8}, at::kByte)},
          {"caption", captions({"a red circle", "", "three small blue squares on the left", "red"})},
          {"score", at::tensor({0.5f, -1.0f, 2.0f, 0.0f})},
          {"place", at::randint(0, 5, {4, 2}, at::kLong)},
          {"label", at::tensor(std::vector<int64_t>{2, 0, 4, 2})}};
}

Named narrowed(Named fields, int64_t first, int64_t n) {
  for (auto& [name, tensor] : fields) tensor = tensor.narrow(0, first, n);
  return fields;
}

// All slots of a sample in a row: [B, ...].
at::Tensor flat(const Condition& c) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& slot : {c.vector, c.sequence, c.concat})
    if (slot.defined()) parts.push_back(slot.flatten(1));
  return at::cat(parts, 1);
}

// None for what needs a file that is not here.
std::optional<Values> values_of(const std::string& id) {
  const std::map<std::string, Values> of_files = {{"bert", bert()}, {"gpt", gpt()}, {"t5", t5({{"weights", data("t5_gated.safetensors")}, {"feed_forward", std::string("gated-gelu")}})}};
  if (const auto found = of_files.find(id); found != of_files.end()) return found->second;
  std::optional<Values> values = required_values("conditioner", id, kFields);
  if (values) values->merge(keys_of("conditioner", id, kSmall));
  return values;
}

class EveryConditioner : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // the tensors are small
  Conditioner made(at::ScalarType dtype = at::kFloat) const {
    Conditioner c = conditioner(builtin("conditioner", GetParam(), *values_of(GetParam())), dtype);
    at::manual_seed(0);
    move(c.bound, 0.1);
    return c;
  }
};

TEST_P(EveryConditioner, gives_the_slots_that_it_inferred) {
  const Conditioner c = made();
  expect_shapes(encode(c.bound.component, batch()), c.spec, 4);
}

// A hidden sample tells nothing of itself.
TEST_P(EveryConditioner, hides_what_is_dropped) {
  const at::NoGradGuard no_grad;
  const Conditioner c = made();
  const at::Tensor all = flat(encode(c.bound.component, batch(), {.drop = {0, 0, 1, 1}}));
  EXPECT_TRUE(all[2].equal(all[3]));
  EXPECT_FALSE(all[0].equal(all[2]));
}

TEST_P(EveryConditioner, has_the_gradient_of_finite_differences) {
  const Conditioner c = made(at::kDouble);
  if (c.bound.declared.empty()) return;  // nothing to learn
  const Asked asked{.drop = {0, 0, 0, 1}};
  const at::Tensor weights = at::randn_like(flat(encode(c.bound.component, batch(), asked))).detach();
  const double error = directional_error(
      [&] { return flat(encode(c.bound.component, batch(), asked)).mul(weights).sum(); }, c.bound);
  std::printf("%s: relative error %.1e\n", GetParam().c_str(), error);
}

TEST_P(EveryConditioner, is_its_parameters_and_nothing_else) {
  expect_parameters_alone([&] { return made().bound; },
                          [&](const Bound& net) { return flat(encode(net.component, batch())); });
}

TEST_P(EveryConditioner, keeps_samples_apart) {
  const at::NoGradGuard no_grad;
  const Conditioner c = made();
  const at::Tensor all = flat(encode(c.bound.component, batch()));
  for (int64_t b = 0; b < 4; ++b) {
    const Asked asked{.samples = {static_cast<uint64_t>(b)}};
    const at::Tensor alone = flat(encode(c.bound.component, narrowed(batch(), b, 1), asked));
    EXPECT_LT(alone[0].sub(all[b]).abs().max().item<double>(), 1e-5);
  }
}

// 8 bits of mantissa, and layers that average their errors: a few in a hundred.
TEST_P(EveryConditioner, stays_near_itself_in_bfloat16) {
  const at::NoGradGuard no_grad;
  const Conditioner c = made();
  const at::Tensor full = flat(encode(c.bound.component, batch()));
  const model::Autocast autocast(at::kCPU, true);
  const at::Tensor half = flat(encode(c.bound.component, batch())).to(at::kFloat);
  EXPECT_LT(half.sub(full).norm().div(full.norm()).item<double>(), 0.04);
}

std::vector<std::string> covered() {
  std::vector<std::string> ids = ids_of("conditioner");
  std::erase_if(ids, [](const std::string& id) { return !values_of(id); });
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Small, EveryConditioner, ::testing::ValuesIn(covered()), id_as_name);

TEST(EveryConditioner, is_covered) { EXPECT_EQ(covered(), ids_of("conditioner")); }

}  // namespace
}  // namespace perrin::testing
