// DiffAugment (2006.10738): what each change does, that it is a function of the sample, and its gradient.
#include "plugins/losses/diff_augment.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "host/services/host.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

using losses::DiffAugment;
using Of = DiffAugment::Of;

// Run seed 7; samples stand at positions first, first + 1, ...
at::Tensor augmented(std::vector<std::string> kinds, const at::Tensor& x, uint64_t first = 0, Of of = Of::real,
                     uint32_t step = 1) {
  perrin::detail::host_slot() = services::native_host();
  std::vector<uint64_t> samples(static_cast<size_t>(x.size(0)));
  std::iota(samples.begin(), samples.end(), first);
  perrin_call call{};
  call.struct_size = sizeof call, call.seed = 7, call.step = step;
  call.n = static_cast<uint32_t>(samples.size()), call.samples = samples.data();
  return DiffAugment(kinds)(x, call, of);
}

const std::vector<std::string> kAll = {"colour", "translation", "cutout"};

TEST(DiffAugment, of_nothing_is_the_image_itself) {
  const auto x = at::randn({2, 3, 8, 8});
  EXPECT_TRUE(augmented({}, x).is_same(x));
}

TEST(DiffAugment, is_a_function_of_seed_step_sample_and_side) {
  at::manual_seed(0);
  const auto x = at::randn({4, 3, 16, 16}), whole = augmented(kAll, x, 5);
  for (int64_t b = 0; b < 4; ++b)
    EXPECT_TRUE(augmented(kAll, x.narrow(0, b, 1), 5 + static_cast<uint64_t>(b)).equal(whole.narrow(0, b, 1))) << b;
  EXPECT_FALSE(augmented(kAll, x, 5, Of::fake).equal(whole));
  EXPECT_FALSE(augmented(kAll, x, 5, Of::real, 2).equal(whole));
  EXPECT_FALSE(augmented(kAll, x, 6).equal(whole));
}

// An image of one value has neither saturation nor contrast to change; a grey one has no saturation.
TEST(DiffAugment, colour_keeps_within_the_papers_ranges) {
  const auto flat = augmented({"colour"}, at::full({256, 3, 4, 4}, 0.25));
  EXPECT_LE((flat - flat.mean({1, 2, 3}, true)).abs().max().item<float>(), 1e-6);
  const auto brightness = flat.mean({1, 2, 3}) - 0.25;
  EXPECT_LE(brightness.abs().max().item<float>(), 0.5 + 1e-6);
  EXPECT_GT(brightness.max().item<float>() - brightness.min().item<float>(), 0.9);  // of 256 draws over a range of 1
  auto grey = at::zeros({256, 3, 4, 4});
  grey.narrow(2, 0, 2).fill_(1);  // half 1, half 0: deviation 0.5
  const auto contrast = augmented({"colour"}, grey).flatten(1).std(1, false) / 0.5;
  EXPECT_GE(contrast.min().item<float>(), 0.5 - 1e-5);
  EXPECT_LE(contrast.max().item<float>(), 1.5 + 1e-5);
  EXPECT_GT(contrast.max().item<float>() - contrast.min().item<float>(), 0.9);
}

TEST(DiffAugment, translation_moves_by_at_most_an_eighth) {
  auto x = at::zeros({256, 1, 16, 24});
  x.select(2, 8).select(2, 12).fill_(1);
  const auto moved = augmented({"translation"}, x);
  EXPECT_TRUE(moved.sum({1, 2, 3}).eq(1).all().item<bool>());
  const auto rows = moved.sum({0, 1, 3}), columns = moved.sum({0, 1, 2});
  for (int64_t i = 0; i < 16; ++i) EXPECT_EQ(rows[i].item<float>() > 0, std::abs(i - 8) <= 2) << i;
  for (int64_t i = 0; i < 24; ++i) EXPECT_EQ(columns[i].item<float>() > 0, std::abs(i - 12) <= 3) << i;
}

// Half the height and width, less where it reaches over the border: at least half of that again.
TEST(DiffAugment, cutout_takes_a_rectangle_out) {
  const auto cut = augmented({"cutout"}, at::ones({256, 2, 16, 8}));
  const auto gone = (1 - cut).sum({2, 3});  // [B, 2]
  EXPECT_TRUE(gone.select(1, 0).equal(gone.select(1, 1)));
  EXPECT_EQ(gone.max().item<float>(), 8 * 4);
  EXPECT_GE(gone.min().item<float>(), 4 * 2);
  for (int64_t b = 0; b < 256; ++b) {  // a rectangle: rows times columns
    const auto hole = 1 - cut[b][0];
    const auto rows = hole.amax(1).sum().item<float>(), columns = hole.amax(0).sum().item<float>();
    EXPECT_EQ(rows * columns, gone[b][0].item<float>()) << b;
  }
}

TEST(DiffAugment, gradient_agrees_with_finite_differences) {
  at::manual_seed(0);
  const auto x = leaf({3, 3, 8, 8});
  const auto weights = at::randn({3, 3, 8, 8}, at::kDouble);
  worst_directional_error([&] { return augmented(kAll, x).square().mul(weights).sum(); }, {{"x", x}});
}

}  // namespace
}  // namespace perrin::testing
