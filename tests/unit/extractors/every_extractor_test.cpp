// What every extractor of the library must hold to, small where its keys let it be: a new one is covered with no new
// code, unless it needs a file.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "host/model/autocast.hpp"
#include "tests/unit/extractors/opened.hpp"
#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_b/every.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

const perrin_spec kImage = spec({3, 80, 80});
const Values kSmall = {{"channels", std::vector<int64_t>{8, 16}}, {"convolutions", std::vector<int64_t>{1, 1}},
                       {"blocks", int64_t{1}},                    {"groups", int64_t{4}},
                       {"hidden", int64_t{16}},                   {"size", int64_t{0}}};

class EveryExtractor : public ::testing::TestWithParam<std::string> {
 protected:
  Bound made(at::ScalarType dtype = at::kFloat) {
    at::manual_seed(0);
    Values values = *required_values("extractor", GetParam());
    values.merge(keys_of("extractor", GetParam(), kSmall));
    services::Component component = builtin("extractor", GetParam(), values);
    layers = infer(component, kImage, 5);
    return Bound(std::move(component), dtype);
  }
  std::vector<at::Tensor> all(const Bound& net, const at::Tensor& x) const {
    return extract(net.component, x, up_to(layers.names.size()));
  }
  Inferred layers;
};

at::Tensor pictures(int64_t n, at::ScalarType dtype = at::kFloat) {
  at::manual_seed(1);
  return at::randn({n, 3, 80, 80}, dtype);
}

TEST_P(EveryExtractor, gives_the_shapes_that_it_inferred) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const auto found = all(net, pictures(2));
  for (size_t i = 0; i < found.size(); ++i) {
    const perrin_spec& s = layers.specs[i];
    EXPECT_EQ(found[i].sizes().slice(1).vec(), std::vector<int64_t>(s.sizes, s.sizes + s.rank)) << layers.names[i];
  }
}

TEST_P(EveryExtractor, has_the_gradient_of_finite_differences) {
  const Bound net = made(at::kDouble);
  const at::Tensor x = pictures(2, at::kDouble);
  std::vector<at::Tensor> weights;
  for (const at::Tensor& layer : all(net, x)) weights.push_back(at::randn_like(layer).detach());
  const double error = directional_error(
      [&] {
        std::vector<at::Tensor> sums;
        const auto found = all(net, x);
        for (size_t i = 0; i < found.size(); ++i) sums.push_back(found[i].mul(weights[i]).mean());
        return at::stack(sums).sum();
      },
      net, 1e-6);
  std::printf("%s: relative error %.1e\n", GetParam().c_str(), error);
}

TEST_P(EveryExtractor, is_its_parameters_and_nothing_else) {
  expect_parameters_alone([&] { return made(); },
                          [&](const Bound& net) { return all(net, pictures(2)).back().to(at::kFloat); });
}

TEST_P(EveryExtractor, keeps_samples_apart) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const at::Tensor x = pictures(3);
  const auto together = all(net, x);
  for (int64_t b = 0; b < 3; ++b) {
    const auto alone = all(net, x.narrow(0, b, 1));
    for (size_t i = 0; i < alone.size(); ++i) {
      const at::Tensor other = together[i].narrow(0, b, 1);
      EXPECT_LT(alone[i].sub(other).norm().item<double>(), 1e-5 * other.norm().item<double>()) << layers.names[i];
    }
  }
}

// 8 bits of mantissa, and layers that average their errors: a few in a hundred.
TEST_P(EveryExtractor, stays_near_itself_in_bfloat16) {
  const at::NoGradGuard no_grad;
  const Bound net = made();
  const auto full = all(net, pictures(2));
  const model::Autocast autocast(at::kCPU, true);
  const auto half = all(net, pictures(2));
  for (size_t i = 0; i < full.size(); ++i) {
    const double error = half[i].to(at::kFloat).sub(full[i]).norm().div(full[i].norm()).item<double>();
    EXPECT_LT(error, 0.04) << layers.names[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Small, EveryExtractor, ::testing::ValuesIn(ids_without_files("extractor")), id_as_name);

}  // namespace
}  // namespace perrin::testing
