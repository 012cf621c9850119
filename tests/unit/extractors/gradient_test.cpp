// Gradients by central differences in float64. No rectifier or pooling of seed 0 is near its kink.
#include <ATen/ops/randn_like.h>
#include <ATen/ops/zeros.h>

#include "host/base/error.hpp"
#include "tests/unit/extractors/opened.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

void check_extractor(const char* name, const std::string& id, const Values& values, uint64_t seed) {
  at::set_num_threads(1);  // the tensors are tiny
  at::manual_seed(seed);
  const perrin_spec image = spec({3, 4, 4});
  Bound net = extractor(id, values, image, 3, at::kDouble);
  const auto n = infer(load("extractor", id, values), image, 3).names.size();
  const auto x = leaf({2, 3, 4, 4});
  std::vector<Input> inputs{{"x", x}};
  for (const Declared& d : net.declared)
    if (d.role == PERRIN_PARAMETER) inputs.push_back({d.name, d.value});
  std::vector<at::Tensor> projections;
  for (const at::Tensor& layer : extract(net.component, x, up_to(n))) projections.push_back(at::randn_like(layer));
  const double worst = worst_directional_error(
      [&] {
        at::Tensor sum = at::zeros({}, at::kDouble);
        const auto layers = extract(net.component, x, up_to(n));
        for (size_t i = 0; i < n; ++i) sum = sum.add(layers[i].mul(projections[i]).sum());
        return sum;
      },
      inputs);
  std::printf("%s: %zu inputs and parameters, largest relative error %.1e\n", name, inputs.size(), worst);
}

TEST(Gradient, of_each_extractor_agrees_with_finite_differences) {
  check_extractor("resnet-small", "resnet-small", Trunk{{4, 8}, 1, 2}.values(), 0);
  check_extractor("clip-image", "clip-image", Trunk{{4, 8}, 1, 2, 5}.values(), 0);
  check_extractor("vgg", "vgg", Vgg{{2, 3}, {1, 1}}.values(), 0);
}

}  // namespace
}  // namespace perrin::testing
