// The discriminator's layout, its initial values and its spectral normalisation.
#include "plugins/losses/patch_gan.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

using losses::Norm;
using losses::PatchGan;

// A discriminator with values drawn as declared, from seed 0 of LibTorch's generator.
struct Filled {
  Filled(std::vector<int64_t> x, int64_t channels, int64_t layers, Norm norm) {
    perrin::detail::host_slot() = services::native_host();
    at::manual_seed(0);
    net.emplace(p, spec(x), channels, layers, norm);
    const auto fill = [](void* context, const perrin_param* d) -> perrin_status* {
      const at::IntArrayRef sizes(d->sizes, d->rank);
      auto value = d->init == PERRIN_INIT_NORMAL ? at::randn(sizes) : at::rand(sizes).mul(2).sub(1);
      value = d->init == PERRIN_INIT_CONSTANT ? value.fill_(d->init_a) : value.mul(d->init_a);
      if (d->given) value = services::unwrap(d->given).clone();
      static_cast<std::vector<at::Tensor>*>(context)->push_back(value);
      return nullptr;
    };
    p.declare({sizeof(perrin_param_sink), 0, &values, fill});
    std::vector<services::TensorHandle> handles;
    std::vector<perrin_tensor*> bound;
    for (const auto& value : values) bound.push_back(handles.emplace_back(services::wrap(value)).get());
    p.bind(static_cast<uint32_t>(bound.size()), bound.data());
  }
  Parameters p;
  std::vector<at::Tensor> values;
  std::optional<PatchGan> net;
};

// math.md's rows; the layout is that of pix2pix and taming-transformers.
TEST(PatchGan, has_2765633_parameters_and_maps_256_to_30_and_32_to_2) {
  const at::NoGradGuard no_grad;
  const Filled filled({3, 256, 256}, 64, 3, Norm::batch);
  int64_t count = 0;
  for (const auto& value : filled.values) count += value.numel();
  EXPECT_EQ(count, 2'765'633);
  EXPECT_EQ((*filled.net)(at::rand({1, 3, 256, 256})).sizes(), (at::IntArrayRef{1, 1, 30, 30}));
  EXPECT_EQ((*filled.net)(at::rand({2, 3, 32, 32})).sizes(), (at::IntArrayRef{2, 1, 2, 2}));
}

TEST(PatchGan, refuses_images_that_no_patch_fits_into) {
  Parameters p;
  EXPECT_NO_THROW(PatchGan(p, spec({1, 28, 28}), 8, 3, Norm::none));  // 14, 7, 3, 2, 1
  try {
    PatchGan(p, spec({1, 16, 16}), 8, 3, Norm::none);  // 8, 4, 2, 1, 0
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("16 x 16"), std::string::npos) << failure.what();
    EXPECT_NE(std::string(failure.what()).find("layers"), std::string::npos) << failure.what();
  }
}

// The host's draws, seed 0: standard errors are 0.02 / sqrt(2 n) of a deviation, 0.02 / sqrt(n) of a mean.
TEST(PatchGan, starts_from_small_weights_and_scales_about_one) {
  auto component = load("loss", "adversarial",
                        {{"objective", std::string("hinge")},
                         {"channels", int64_t{64}},
                         {"layers", int64_t{3}},
                         {"norm", std::string("batch")},
                         {"adaptive", false},
                         {"gradient_penalty", 10.0},
                         {"r1", 0.0},
                         {"augment", std::vector<std::string>{}}});
  perrin_spec x = spec({3, 32, 32});
  x.name = PERRIN_TEXT("x");
  component.invoke<&perrin_loss::infer>(1u, &x);
  Bound net(std::move(component));
  for (const auto& [name, mean] : {std::pair{"main.8.weight", 0.0}, {"main.9.weight", 1.0}}) {
    const auto values = net.at(name).value.detach();
    const double error = 0.02 / std::sqrt(static_cast<double>(values.numel()));
    EXPECT_NEAR(values.mean().item<double>(), mean, 4 * error) << name;
    EXPECT_NEAR(values.std().item<double>(), 0.02, 4 * error) << name;
  }
  EXPECT_EQ(net.at("main.9.bias").value.abs().max().item<double>(), 0);
}

// 1802.05957 Eq. 8 with the singular values of LibTorch's decomposition.
TEST(PatchGan, of_spectral_norm_divides_by_the_largest_singular_values) {
  const at::NoGradGuard no_grad;
  const Filled filled({2, 16, 16}, 4, 2, Norm::spectral);
  for (int i = 0; i < 300; ++i) filled.net->iterate();
  const auto x = at::randn({2, 2, 16, 16});
  auto y = x;
  for (size_t i = 0; i < filled.values.size(); i += 3) {  // weight, bias, u
    const auto& weight = filled.values[i];
    const auto largest = at::linalg_svdvals(weight.flatten(1).to(at::kDouble))[0].item<double>();
    y = at::conv2d(y, weight / largest, filled.values[i + 1], i < 6 ? 2 : 1, 1);
    if (i + 3 < filled.values.size()) y = at::leaky_relu(y, 0.2);
  }
  EXPECT_LT(((*filled.net)(x)-y).abs().max().item<double>(), 1e-4 * y.abs().max().item<double>());
}

}  // namespace
}  // namespace perrin::testing
