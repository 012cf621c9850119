// What every denoiser of the library must hold to at its defaults: a new one is covered with no new code.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_b/every.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/plugins_b/transformers.hpp"

namespace perrin::testing {
namespace {

// The denoiser at its defaults for the batch's shapes; what starts from zero is moved away from it.
Bound moved(const std::string& id, const Batch& in, at::ScalarType dtype) {
  services::Component component = builtin("denoiser", id, *required_values("denoiser", id));
  std::vector<int64_t> sizes = in.x.sizes().slice(1).vec();
  const perrin_spec x = spec(sizes);
  const perrin_conditioning_spec c = spec_of(in.condition);
  perrin_spec prediction{};
  component.invoke<&perrin_denoiser::infer>(&x, c.slots ? &c : nullptr, &prediction);
  Bound net(std::move(component), dtype);
  net.values.add_(at::randn(net.values.sizes(), net.values.options()), 0.02);
  return net;
}

// With a vector condition where the denoiser takes one.
Batch batch_for(const std::string& id) {
  const Batch with = batch({3, 8, 8}, PERRIN_SLOT_VECTOR);
  return refusal_of([&] { moved(id, with, at::kFloat); }) == "accepted" ? with : batch({3, 8, 8}, 0);
}

class EveryDenoiser : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // the tensors are small
};

TEST_P(EveryDenoiser, has_the_gradient_of_finite_differences) {
  const Batch in = batch_for(GetParam());
  const Bound net = moved(GetParam(), in, at::kDouble);
  const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
  const at::Tensor x = wide(in.x).requires_grad_(), t = wide(in.c_noise);
  const Condition condition{wide(in.condition.vector), {}, {}};
  std::vector<Input> inputs{{"x", x}};
  for (const Declared& d : net.declared)
    if (d.role == PERRIN_PARAMETER) inputs.push_back({d.name, d.value});
  const auto projection = at::randn(forward(net.component, x, t, condition).sizes(), at::kDouble);
  const double worst =
      worst_directional_error([&] { return forward(net.component, x, t, condition).mul(projection).sum(); }, inputs);
  std::printf("%s: %zu inputs and parameters, largest relative error %.1e\n", GetParam().c_str(), inputs.size(), worst);
}

TEST_P(EveryDenoiser, is_its_parameters_and_nothing_else) {
  const Batch in = batch_for(GetParam());
  expect_parameters_alone([&] { return moved(GetParam(), in, at::kFloat); },
                          [&](const Bound& net) { return forward(net.component, in.x, in.c_noise, in.condition); });
}

TEST_P(EveryDenoiser, keeps_samples_apart) {
  const Batch in = batch_for(GetParam());
  expect_conditions_and_samples_apart(moved(GetParam(), in, at::kFloat), in);
}

// 8 bits of mantissa, and layers that average their errors: a few in a hundred.
TEST_P(EveryDenoiser, stays_near_itself_in_bfloat16) {
  const Batch in = batch_for(GetParam());
  Bound net = moved(GetParam(), in, at::kFloat);
  const Relative error = bf16_error(net, in);
  std::printf("%s: bf16 output %.1e, gradient %.1e from fp32\n", GetParam().c_str(), error.output, error.gradient);
  EXPECT_LT(error.output, 0.04);
  EXPECT_LT(error.gradient, 0.08);
}

INSTANTIATE_TEST_SUITE_P(Defaults, EveryDenoiser, ::testing::ValuesIn(ids_of("denoiser")), id_as_name);

}  // namespace
}  // namespace perrin::testing
