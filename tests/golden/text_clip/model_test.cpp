// clip-text against transformers' CLIPTextModelWithProjection: text in, the same random weights by the key `weights`.
// Tolerance: 1e-4 of the largest output.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "host/store/safetensors.hpp"
#include "tests/unit/text_clip/clip.hpp"

namespace perrin::testing {
namespace {

const std::string kData = PERRIN_CLIP;
const std::vector<std::string> kTexts = {"red circle", "a blue square on white", "", "the red the red the red the red",
                                         "Tiny CROSS!"};

at::Tensor peer(const std::string& file, const std::string& name) {
  const auto held = store::SafeTensors::open(kData + "/" + file + ".safetensors", store::Checksum::if_present);
  const store::TensorView* view = held.find(name);
  if (!view) throw std::out_of_range(name);
  return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat).clone();
}

void expect_same(const at::Tensor& ours, const std::string& file, const std::string& name) {
  const auto expected = peer(file, name);
  ASSERT_EQ(ours.sizes(), expected.sizes()) << name;
  const double largest = expected.abs().max().item<double>();
  const double error = ours.sub(expected).abs().max().item<double>() / largest;
  std::printf("%s, %s: largest %.4f, apart by %.1e of it\n", file.c_str(), name.c_str(), largest, error);
  EXPECT_LT(error, 1e-4) << file << ", " << name;
}

Clip clip(const std::string& file, const std::string& activation) {
  return {.vocabulary = kData + "/vocab.json",
          .merges = kData + "/merges.txt",
          .weights = kData + "/" + file + ".safetensors",
          .activation = activation,
          .output = "both"};
}

// gelu.safetensors has the names of a Stable Diffusion checkpoint, quick_gelu.safetensors those of the model alone.
class ClipModel : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ClipModel, gives_the_peers_output) {
  const at::NoGradGuard no_grad;
  const auto [file, activation] = GetParam();
  Clip last = clip(file, activation);
  const auto given = encode(build(last).bound.component, kTexts);
  expect_same(given.sequence, file, "last");
  expect_same(given.vector, file, "pooled");

  Clip penultimate = last;
  penultimate.layer = "penultimate";
  penultimate.projection = 24;
  const auto before = encode(build(penultimate).bound.component, kTexts);
  expect_same(before.sequence, file, "penultimate");
  expect_same(before.vector, file, "projected");
  penultimate.projection = 0;
  penultimate.output = "sequence";  // without the last block
  expect_same(encode(build(penultimate).bound.component, kTexts).sequence, file, "penultimate");
}

// (circle:1.5) by the rule of stable-diffusion-webui, which equals ours on a batch of one.
TEST_P(ClipModel, emphasises_as_the_webui_does) {
  const at::NoGradGuard no_grad;
  const auto [file, activation] = GetParam();
  at::Tensor weights = at::ones({1, 512});
  weights.narrow(1, 4, 6).fill_(1.5);
  const auto given = encode(build(clip(file, activation)).bound.component, {kTexts[0]}, {}, weights);
  expect_same(given.sequence, file, "weighted");
}

INSTANTIATE_TEST_SUITE_P(activations, ClipModel,
                         ::testing::Values(std::pair("quick_gelu", "quick-gelu"), std::pair("gelu", "gelu")),
                         [](const auto& info) { return std::string(info.param.first); });

}  // namespace
}  // namespace perrin::testing
