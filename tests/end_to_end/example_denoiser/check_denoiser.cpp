// check_denoiser FILE: the example's library through the host. Exit 0, or 1 with what is wrong.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>

#include <cstdio>
#include <cstdlib>

#include "tests/unit/plugins_b/bound.hpp"

namespace {

void expect(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "check_denoiser: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace perrin::testing;
  expect(argc == 2, "usage: check_denoiser FILE");
  auto component = load_file(argv[1], "denoiser", "example.convnet", {{"width", int64_t{8}}, {"blocks", int64_t{2}}});
  const perrin_spec x_spec = spec({3, 8, 8});
  perrin_spec inferred{};
  component.invoke<&perrin_denoiser::infer>(&x_spec, nullptr, &inferred);
  Bound net(std::move(component));
  expect(net.values.numel() == 3 * 8 * 9 + 8 + 2 * (2 * (8 * 8 * 9 + 8) + 8 + 8) + 8 * 3 * 9 + 3, "parameter count");
  expect(net.values.count_nonzero().item<int64_t>() > 0.99 * net.values.numel(), "torch::nn's initial values are lost");

  const auto x = at::randn({2, 3, 8, 8}), t = at::arange(1, 3, at::kFloat).mul(300);
  const auto out = forward(net.component, x, t);
  expect(out.sizes() == x.sizes(), "the output has another shape than infer said");
  out.square().sum().backward();
  for (const Declared& d : net.declared)
    expect(d.value.grad().abs().max().item<float>() > 0, "no gradient reaches " + d.name);

  const at::NoGradGuard no_grad;
  net.values.sub_(net.gradients, 1e-4);  // the host's optimizer writes into the modules' memory
  expect(!forward(net.component, x, t).equal(out), "the modules do not see the host's values");
  net.values.zero_();
  expect(forward(net.component, x, t).abs().max().item<float>() == 0, "something is not a parameter");
  std::printf("example.convnet: %lld parameters, each with a gradient\n", static_cast<long long>(net.values.numel()));
}
