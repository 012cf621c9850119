// Gradients by finite differences in float64, through the ABI's tables.
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

TEST(Gradient, of_each_denoiser_agrees_with_finite_differences) {
  const UNet three{{4, 8, 8}, 4, 4, 1, {1}}, two{{4, 8}, 2, 4, 1, {0, 1}};
  check({"unet", "unet", three.values(), {1, 8, 8}, 0});
  check({"unet, vector", "unet", two.values(), {1, 4, 4}, PERRIN_SLOT_VECTOR});
  const uint32_t all = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_CONCAT;
  check({"unet, vector, sequence and concat", "unet", two.values(), {1, 4, 4}, all});
  UNet grown{{8, 8}, 2, 4, 1, {0, 1}};
  grown.transformer_depth = {1, 2}, grown.scale_shift_norm = true;
  check({"unet, transformers, every condition", "unet", grown.values(), {1, 4, 4}, all});
  grown.linear_projection = grown.learnt_variance = true, grown.dropout = 0.3;
  grown.heads = 2, grown.head_channels = 0;
  check({"unet, linear projections, dropout, variance", "unet", grown.values(), {1, 4, 4}, PERRIN_SLOT_SEQUENCE});
  grown.gradient_checkpointing = true;
  check({"unet, checkpointed", "unet", grown.values(), {1, 4, 4}, PERRIN_SLOT_SEQUENCE});
  check({"mlp", "mlp", {{"width", int64_t{16}}, {"layers", int64_t{2}}}, {2}, 0});
  check({"mlp, vector", "mlp", {{"width", int64_t{16}}, {"layers", int64_t{3}}}, {1, 2, 3}, PERRIN_SLOT_VECTOR});
}

TEST(Gradient, of_each_loss_agrees_with_finite_differences) {
  const auto component = load("loss", "l2", {});
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{3, 2}, {2, 3, 4, 4}}) {
    const auto prediction = leaf(sizes), target = at::randn(sizes, at::kDouble),
               weights = at::randn({sizes[0]}, at::kDouble);
    const double worst = worst_directional_error([&] { return loss(component, prediction, target).mul(weights).sum(); },
                                                 {{"prediction", prediction}});
    std::printf("l2: largest relative error %.1e\n", worst);
  }
}

}  // namespace
}  // namespace perrin::testing
