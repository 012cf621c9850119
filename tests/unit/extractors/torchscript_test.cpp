// The extractor `torchscript`, opened as losses open it. Files: data/make.py, with torch's own values in its classes.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "host/base/error.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace perrin::testing {
namespace {

std::string script(const char* name) { return std::string(PERRIN_SCRIPTS) + "/" + name; }

TEST(TorchScript, gives_a_tensor_and_the_entries_of_a_named_tuple) {
  const at::NoGradGuard no_grad;
  const auto x = at::randn({2, 3, 4, 5});
  const Opened one("torchscript", script("one.pt"), spec({3, 4, 5}));
  EXPECT_EQ(one.layers(), std::vector<std::string>{"output"});
  const auto y = one(x)[0];  // a 1 x 1 convolution by 0 1 2 and 3 4 5
  EXPECT_LT(y.select(1, 0).sub(x.select(1, 1).add(x.select(1, 2), 2)).abs().max().item<double>(), 1e-5);

  const Opened tuple("torchscript", script("tuple.pt"), spec({3, 4, 5}));
  EXPECT_EQ(tuple.layers(), (std::vector<std::string>{"doubled", "mean"}));
  EXPECT_EQ(tuple.specs()[1].rank, 1u);
  EXPECT_TRUE(tuple(x, {0})[0].equal(x.mul(2)));
  EXPECT_TRUE(tuple(x, {1})[0].equal(x.mean({2, 3})));
}

TEST(TorchScript, gives_the_named_entries_of_a_dictionary_frozen) {
  const Values values = {{"file", script("mean.pt")}, {"layers", std::vector<std::string>{"mean", "tripled"}}};
  const auto component = load("extractor", "torchscript", values);
  EXPECT_EQ(infer(component, spec({3, 4, 5}), 0).names, (std::vector<std::string>{"mean", "tripled"}));
  const auto x = at::randn({2, 3, 4, 5}, at::kDouble).set_requires_grad(true);
  const auto layers = extract(component, x, {0, 1});
  EXPECT_EQ(layers[1].scalar_type(), at::kDouble);
  layers[1].sum().backward();
  EXPECT_EQ(x.grad().sub(3).abs().max().item<double>(), 0);
  EXPECT_FALSE(extract(component, x.detach(), {1})[0].requires_grad());
}

TEST(TorchScript, names_the_entries_of_a_dictionary_by_its_code) {
  EXPECT_EQ(Opened("torchscript", script("mean.pt"), spec({3, 4, 5})).layers(),
            (std::vector<std::string>{"tripled", "mean"}));
  const at::NoGradGuard no_grad;
  const auto x = at::randn({2, 3, 4, 5});
  const Opened keys("torchscript", script("keys.pt"), spec({3, 4, 5}));
  EXPECT_EQ(keys.layers(), (std::vector<std::string>{"doubled", "mean"}));
  EXPECT_TRUE(keys(x, {1})[0].equal(x.mean({2, 3})));
}

// Against torch's own numbers of the same network.
TEST(TorchScript, gives_what_torch_gives_of_scripted_and_traced_networks) {
  const at::NoGradGuard no_grad;
  std::ifstream text(script("layers.txt"));
  const std::vector<double> values{std::istream_iterator<double>(text), {}};
  const auto expected = at::tensor(values).view({2, 4});
  const auto x = at::arange(2 * 3 * 8 * 8, at::kDouble).sin().to(at::kFloat).view({2, 3, 8, 8});
  for (const char* name : {"layers.pt", "traced.pt"}) {
    const Opened net("torchscript", script(name), spec({3, 8, 8}));
    const double worst = net(x)[0].sub(expected).abs().max().item<double>();
    std::printf("%s: %.1e\n", name, worst);
    EXPECT_LT(worst, 1e-6);
  }
}

TEST(TorchScript, refuses_what_it_cannot_use) {
  const auto opened = [](const std::string& file) {
    return refusal([&] { Opened("torchscript", file, spec({3, 4, 5})); });
  };
  EXPECT_NE(opened(script("none.pt")).find("there is no file"), std::string::npos);
  EXPECT_NE(opened(script("make.py")).find("make.py is no TorchScript file"), std::string::npos);
  EXPECT_NE(opened(script("loop.pt")).find("list them as layers"), std::string::npos) << opened(script("loop.pt"));
  EXPECT_NE(opened(script("wrong.pt")).find("gives a layer [] for 1 images"), std::string::npos);
  const auto grey = refusal([] { Opened("torchscript", script("one.pt"), spec({1, 4, 5})); });
  EXPECT_NE(grey.find("one.pt does not take images [1, 4, 5]"), std::string::npos) << grey;
  const auto named = refusal([] {
    infer(
        load("extractor", "torchscript", {{"file", script("mean.pt")}, {"layers", std::vector<std::string>{"median"}}}),
        spec({3, 4, 5}), 0);
  });
  EXPECT_NE(named.find("gives no layer \"median\""), std::string::npos) << named;
}

}  // namespace
}  // namespace perrin::testing
