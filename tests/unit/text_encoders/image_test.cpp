// image: the reduced image, holes, and what is hidden.
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

at::Tensor pixels(int64_t n) {
  at::manual_seed(0);
  return at::randint(0, 256, {n, 3, 12, 8}, at::kByte);
}
at::Tensor values_of(const at::Tensor& bytes) { return bytes.to(at::kFloat).mul(2.0 / 255).add(-1); }

const char* const kHoles[] = {"boxes", "brush", "mixed"};

TEST(ImageCondition, shows_the_image_outside_the_hole) {
  for (const char* kind : kHoles) {
    const Conditioner c = conditioner("image", image("inpainting", {{"holes", std::string(kind)}}));
    EXPECT_EQ(c.spec.slots, PERRIN_SLOT_CONCAT);
    const at::Tensor bytes = pixels(16);
    const auto z = encode(c.bound.component, {{"image", bytes}}, {.training = true});
    expect_shapes(z, c.spec, 16);
    const auto hole = z.concat.narrow(1, 0, 1), around = z.concat.narrow(1, 1, 3);
    EXPECT_TRUE(hole.mul(hole.sub(1)).eq(0).all().item<bool>()) << "holes are 0 or 1";
    EXPECT_TRUE(around.equal(values_of(bytes).mul(hole.eq(0))));
    const auto share = hole.mean(at::IntArrayRef({1, 2, 3}));
    EXPECT_GT(share.min().item<double>(), 0) << kind;
    EXPECT_LT(share.max().item<double>(), 1) << kind;
    std::printf("%s: holes of %.2f to %.2f of the image, %.2f on average\n", kind, share.min().item<double>(),
                share.max().item<double>(), share.mean().item<double>());
  }
}

TEST(ImageCondition, holes_are_a_function_of_seed_and_sample) {
  for (const char* kind : kHoles) {
    const Conditioner c = conditioner("image", image("inpainting", {{"holes", std::string(kind)}}));
    const at::Tensor bytes = pixels(6);
    const auto all = encode(c.bound.component, {{"image", bytes}}, {.samples = {5, 6, 7, 8, 9, 10}, .seed = 3});
    for (int64_t b = 0; b < 6; ++b) {
      const Asked alone = {.drop = {}, .samples = {static_cast<uint64_t>(5 + b)}, .seed = 3, .training = true};
      EXPECT_TRUE(encode(c.bound.component, {{"image", bytes.narrow(0, b, 1)}}, alone).concat[0].equal(all.concat[b]));
    }
    EXPECT_FALSE(all.concat[0][0].equal(all.concat[1][0]) && all.concat[1][0].equal(all.concat[2][0])) << kind;
    const auto other = encode(c.bound.component, {{"image", bytes}}, {.samples = {5, 6, 7, 8, 9, 10}, .seed = 4});
    EXPECT_FALSE(other.concat.equal(all.concat)) << kind;
  }
}

TEST(ImageCondition, a_given_mask_is_the_hole) {
  const Conditioner c = conditioner("image", image("inpainting"));
  const at::Tensor bytes = pixels(2), mask = at::zeros({2, 1, 12, 8}, at::kFloat);
  mask.narrow(2, 3, 4).fill_(1);
  const auto z = encode(c.bound.component, {{"image", bytes}, {"mask", mask}}, {.training = true}).concat;
  EXPECT_TRUE(z.narrow(1, 0, 1).equal(mask));
  const at::Tensor same[] = {mask.squeeze(1), mask.mul(255).to(at::kByte), mask.to(at::kBool), mask.mul(0.8).add(0.1)};
  for (const at::Tensor& m : same)
    EXPECT_TRUE(encode(c.bound.component, {{"image", bytes}, {"mask", m}}).concat.equal(z));
}

TEST(ImageCondition, comes_in_the_denoisers_size) {
  const Conditioner c = conditioner("image", image("inpainting", {{"size", int64_t{4}}}));
  const at::Tensor bytes = at::full({1, 3, 12, 8}, 255, at::kByte), mask = at::zeros({1, 1, 12, 8}, at::kFloat);
  mask[0][0][0][0] = 1;  // one of the six pixels below the first one of the condition
  const auto z = encode(c.bound.component, {{"image", bytes}, {"mask", mask}});
  expect_shapes(z, c.spec, 1);
  EXPECT_EQ(z.concat[0][0].sum().item<double>(), 1) << "a pixel with a hole below it is a hole";
  EXPECT_NEAR(z.concat[0][1][0][0].item<double>(), 5.0 / 6, 1e-6) << "and shows the mean of what is around it";
  EXPECT_NEAR(z.concat[0][1][3][3].item<double>(), 1, 1e-6);
}

TEST(ImageCondition, takes_a_small_image_as_it_is) {
  for (const char* task : {"bicubic", "bilinear", "nearest"}) {
    const Conditioner c = conditioner("image", image("super-resolution", {{"enlarge", std::string(task)}}));
    const at::Tensor flat = at::full({1, 3, 3, 2}, 51, at::kByte);  // 51 / 255 * 2 - 1 = -0.6
    const auto z = encode(c.bound.component, {{"image", flat}});
    expect_shapes(z, c.spec, 1);
    EXPECT_LT(z.concat.add(0.6).abs().max().item<double>(), 1e-5);
  }
}

TEST(ImageCondition, hides_an_image_behind_zeros) {
  for (const char* task : {"super-resolution", "inpainting"}) {
    const Conditioner c = conditioner("image", image(task));
    const at::Tensor bytes = pixels(3);
    const auto z = encode(c.bound.component, {{"image", bytes}}).concat;
    const auto hidden = encode(c.bound.component, {{"image", bytes}}, {.drop = {0, 1, 0}}).concat;
    EXPECT_TRUE(hidden[0].equal(z[0]) && hidden[2].equal(z[2]));
    EXPECT_EQ(hidden[1].abs().max().item<double>(), 0);
    EXPECT_TRUE(
        encode(c.bound.component, {}, {.drop = {1, 1}}).concat.equal(at::zeros({2, z.size(1), 12, 8}, at::kFloat)))
        << "nothing needs to be known of samples that are hidden";
  }
}

TEST(ImageCondition, says_what_does_not_fit) {
  const auto expect = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
  };
  const auto making = [](const Values& v) { return refused([&] { conditioner("image", v); }); };
  expect(making(image("super-resolution", {{"factor", int64_t{5}}})), "factor = 5 does not divide images of 12 x 8");
  expect(making(image("inpainting", {{"field", std::string("caption")}})), "is no image");
  expect(making(image("inpainting", {{"field", std::string("imgae")}})),
         "the dataset has no field \"imgae\"; it has: image");
  const Conditioner c = conditioner("image", image("inpainting")), s = conditioner("image", image("super-resolution"));
  const auto encoding = [](const Conditioner& of, const Named& fields) {
    return refused([&] { encode(of.bound.component, fields); });
  };
  expect(encoding(c, {{"image", at::zeros({1, 1, 12, 8}, at::kByte)}}),
         "\"image\" is [1, 1, 12, 8]; it must be [B, 3, 12, 8]");
  expect(encoding(s, {{"image", at::zeros({1, 3, 6, 4}, at::kByte)}}), "or 1/4 of that: [B, 3, 3, 2]");
  expect(encoding(c, {{"image", pixels(1)}, {"mask", at::zeros({1, 1, 8, 8}, at::kFloat)}}),
         "\"mask\" is [1, 1, 8, 8]; it must be [1, 1, 12, 8], as high and wide as the image");
}

}  // namespace
}  // namespace perrin::testing
