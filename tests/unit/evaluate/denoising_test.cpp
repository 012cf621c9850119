// The denoising error of networks whose error is known: with weights of zero F = 0, and D = c_skip x_t.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/data/samples.hpp"
#include "host/evaluate/evaluate.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

constexpr int64_t kCount = 4096;

Composition silent(const std::string& parameterization, const std::string& schedule) {
  Composition c = compose("[dataset]\nuse='gaussian-mixture'\ncount=" + std::to_string(kCount) +
                              "\n[denoiser]\nuse='mlp'\nwidth=16\n[parameterization]\nuse='" + parameterization + "'\n",
                          {"schedule={use='" + schedule + "'}"});
  c->parameters.values().zero_();
  c->parameters.bind_values();
  return c;
}

double mean_square(Model& model) {
  double sum = 0;
  for_each_samples(model, kCount, 64, [&](const Batch& batch, const perrin_call&) {
    sum += images(model, batch).square().mean(1).sum().item<double>();
  });
  return sum / static_cast<double>(kCount);
}

evaluate::Found found(Model& model) {
  evaluate::Request request;
  request.batch_size = 100;  // the last batch is short
  return evaluate::denoising(model, request);
}

TEST(DenoisingError, OfANetworkThatSaysNothingOfX0IsTheDatasMeanSquare) {
  const Composition c = silent("x0", "cosine");
  const evaluate::Found said = found(*c);
  ASSERT_EQ(said.curves.size(), 2u);
  const store::Curve& error = said.curves[0];
  EXPECT_EQ(error.at.front(), -10) << "cosine's noisiest level has less signal";
  const double wanted = mean_square(*c);
  for (const double value : error.values) EXPECT_NEAR(value, wanted, 1e-6 * wanted);
}

// D = alpha x_t: the error is -sigma^2 x_0 + alpha sigma eps, its mean square sigma^4 E[x_0^2] + alpha^2 sigma^2.
TEST(DenoisingError, OfANetworkThatSaysNothingOfVIsTheForwardProcesss) {
  for (const char* schedule : {"cosine", "linear"}) {
    const Composition c = silent("v", schedule);
    const evaluate::Found said = found(*c);
    const store::Curve &error = said.curves[0], &spread = said.curves[1];
    const double square = mean_square(*c);
    ASSERT_GT(error.at.size(), 15u);
    for (size_t i = 0; i < error.at.size(); ++i) {
      const double alpha2 = 1 / (1 + std::exp(-error.at[i])), sigma2 = 1 - alpha2;
      const double wanted = sigma2 * sigma2 * square + alpha2 * sigma2;
      EXPECT_NEAR(error.values[i], wanted, 5 * spread.values[i]) << schedule << " at log SNR " << error.at[i];
      EXPECT_LT(spread.values[i], 0.1 * wanted);
    }
  }
}

TEST(DenoisingError, TakesTheSameNoiseEachTime) {
  const Composition a = silent("v", "cosine"), b = silent("v", "linear");
  const std::vector<double> one = found(*a).curves[0].values, again = found(*a).curves[0].values;
  EXPECT_EQ(one, again);
  const store::Curve other = found(*b).curves[0];
  const auto at_zero = [](const store::Curve& c) {
    return c.values[static_cast<size_t>(std::find(c.at.begin(), c.at.end(), 0) - c.at.begin())];
  };
  EXPECT_NEAR(at_zero(found(*a).curves[0]), at_zero(other), 1e-4 * at_zero(other)) << "the schedule does not matter";
}

}  // namespace
}  // namespace perrin::test
