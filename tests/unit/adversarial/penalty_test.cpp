// Gradient penalty and R1 through the loss's table, where the discriminator is an affine function of the image: its
// biases keep every LeakyReLU on one side. And the gradients of all objectives by finite differences.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "host/base/error.hpp"
#include "tests/unit/adversarial/gan.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

// Small weights; biases (with batch normalisation its shifts) far from zero, of the sign of `side`.
Gan affine(Values given, double side, std::vector<int64_t> x = {1, 8, 8}) {
  given.insert({"layers", int64_t{1}});
  Gan gan(std::move(given), std::move(x), at::kDouble);
  gan.fill(".bias", 50 * side);
  return gan;
}

Tensors pair(const at::Tensor& x, const at::Tensor& reconstruction) {
  return {{"x", x}, {"reconstruction", reconstruction}};
}

// ||dD / dx||^2 of an affine D: from its values at the origin and at the 64 unit vectors.
double squared_slope(Gan& gan) {
  const at::NoGradGuard no_grad;
  const auto basis = at::eye(64, at::kDouble).view({64, 1, 8, 8}), origin = at::zeros({64, 1, 8, 8}, at::kDouble);
  const auto D = [&](const at::Tensor& x) { return -gan.values(pair(x, x)); };
  return (D(basis) - D(origin)).square().sum().item<double>();
}

TEST(Penalties, of_an_affine_discriminator_are_those_of_its_slope) {
  at::manual_seed(0);
  const auto x = at::rand({3, 1, 8, 8}, at::kDouble), fake = at::rand({3, 1, 8, 8}, at::kDouble);
  for (const double side : {1.0, -1.0}) {
    const auto with = [&](double penalty, double r1) {
      Gan gan = affine({{"objective", std::string("wasserstein")},
                        {"norm", std::string("none")},
                        {"gradient_penalty", penalty},
                        {"r1", r1}},
                       side);
      return std::pair{squared_slope(gan), gan.oppose(pair(x, fake)).detach()};
    };
    const auto [slope2, plain] = with(0, 0);
    ASSERT_GT(slope2, 0);
    EXPECT_NEAR((with(0, 3).second - plain - 1.5 * slope2).abs().max().item<double>(), 0, 1e-12);
    // The root is kept off 0 by 1e-12 in the square, which moves the penalty by 2e-7 here; the slope moves it by 4e-4.
    const double penalty = 7 * std::pow(std::sqrt(slope2) - 1, 2);
    EXPECT_NEAR((with(7, 0).second - plain - penalty).abs().max().item<double>(), 0, 1e-6);
  }
}

TEST(Penalties, gradients_of_the_discriminators_loss_agree_with_finite_differences) {
  struct Objective {
    const char *name, *norm;
    double r1;
  };
  at::manual_seed(0);
  const auto x = at::rand({3, 1, 8, 8}, at::kDouble), fake = at::rand({3, 1, 8, 8}, at::kDouble);
  for (const Objective& o : {Objective{"hinge", "batch", 0},
                             {"vanilla", "spectral", 2},
                             {"non-saturating", "none", 2},
                             {"wasserstein", "none", 0},
                             {"wasserstein", "spectral", 1}}) {
    Gan gan = affine({{"objective", std::string(o.name)}, {"norm", std::string(o.norm)}, {"r1", o.r1}}, 1);
    gan.fill("main.5.bias", 0.1), gan.fill("main.4.bias", 0.1);  // the logits themselves near zero
    // Binds; and the singular vectors, constants in the gradient, have that gradient where they are exact.
    for (int i = 0; i < 300; ++i) gan.oppose(pair(x, fake));
    std::vector<Input> inputs;
    for (const Declared& d : gan.net.declared)
      if (d.role == PERRIN_PARAMETER) inputs.push_back({std::string(o.name) + " " + d.name, d.value});
    Step evaluation;
    evaluation.training = false;  // no power iteration between two evaluations
    const double worst = worst_directional_error([&] { return gan.oppose(pair(x, fake), evaluation).sum(); }, inputs);
    std::printf("%s, norm %s: largest relative error %.1e\n", o.name, o.norm, worst);
  }
}

// Augmentation, the point between data and reconstruction, and the penalty are each sample's own.
TEST(Penalties, a_sample_alone_gives_what_it_gives_in_a_batch) {
  at::manual_seed(0);
  const auto x = at::rand({4, 3, 16, 16}, at::kDouble), fake = at::rand({4, 3, 16, 16}, at::kDouble);
  Gan gan({{"objective", std::string("wasserstein")},
           {"norm", std::string("none")},
           {"augment", std::vector<std::string>{"colour", "translation", "cutout"}}},
          {3, 16, 16}, at::kDouble);
  Step step;
  step.first = 10;
  const auto whole = gan.oppose(pair(x, fake), step).detach();
  for (int64_t b = 0; b < 4; ++b) {
    step.first = 10 + static_cast<uint64_t>(b);
    const auto alone = gan.oppose(pair(x.narrow(0, b, 1), fake.narrow(0, b, 1)), step).detach();
    EXPECT_NEAR(alone.item<double>(), whole[b].item<double>(), 1e-10) << b;
  }
}

TEST(Penalties, are_refused_beside_batch_normalisation) {
  for (const Values& values : {Values{{"r1", 1.0}}, Values{{"objective", std::string("wasserstein")}}}) {
    try {
      Gan(values, {3, 32, 32});
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("norm"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace perrin::testing
