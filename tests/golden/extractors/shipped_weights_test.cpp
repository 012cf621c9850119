// The weights beside experiments/extractors/*.toml do what README.md there says of them, on all the images that it names.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <numeric>
#include <set>

#include "metrics/retrieval.hpp"
#include "tests/unit/datasets/shown.hpp"
#include "tests/unit/extractors/opened.hpp"
#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/text_clip/clip.hpp"

namespace perrin::testing {
namespace {

const std::string kWeights = PERRIN_EXPERIMENTS "/extractors/";

// What a layer says of a dataset's first samples, with the samples' captions and the classes of one field.
struct Seen {
  at::Tensor layer, classes;  // [N, W], int64 [N]
  std::vector<std::string> captions;
};

Seen see(const services::Component& dataset, const std::string& field, uint64_t count, const std::string& weights,
         const std::string& layer) {
  const auto fields = fields_of(dataset);
  const perrin_field& image = *std::ranges::find(fields, "image", [](const auto& f) { return name_of(f); });
  const Opened extractor("", kWeights + weights, image.spec);
  const auto wanted = std::ranges::find(extractor.layers(), layer) - extractor.layers().begin();
  std::vector<at::Tensor> layers, classes;
  std::vector<std::string> captions;
  for (uint64_t first = 0; first < count; first += 500) {
    std::vector<uint64_t> batch(std::min<uint64_t>(500, count - first));
    std::iota(batch.begin(), batch.end(), first);
    Shown shown = read_shown(dataset, batch);
    const at::Tensor x =
        at::from_blob(shown.image.data(),
                      {int64_t(batch.size()), image.spec.sizes[0], image.spec.sizes[1], image.spec.sizes[2]}, at::kByte);
    layers.push_back(extractor(x.to(at::kFloat).mul(image.scale).add(image.offset), {uint32_t(wanted)})[0]);
    classes.push_back(at::tensor(shown.truth.at(field)));
    captions.insert(captions.end(), shown.caption.begin(), shown.caption.end());
  }
  return {at::cat(layers), at::cat(classes), captions};
}

void expect_top1(const std::string& weights, const at::Tensor& scores, const at::Tensor& classes, double promised) {
  const double found = metrics::top1(scores, classes);
  std::printf("%s: top-1 %.2f %% of %lld\n", weights.c_str(), 100 * found, static_cast<long long>(classes.numel()));
  EXPECT_NEAR(found, promised, 1e-3) << weights;
}

TEST(ShippedWeights, ClassifyFashionMnist) {
  if (const std::string reason = no_fashion_mnist(); !reason.empty()) GTEST_SKIP() << reason;
  const at::NoGradGuard no_grad;
  const auto dataset = builtin("dataset", "fashion-mnist", {{"split", std::string("test")}});
  const Seen seen = see(dataset, "label", 10000, "fashion-classifier.safetensors", "logits");
  expect_top1("fashion-classifier", seen.layer, seen.classes, 0.9275);
}

TEST(ShippedWeights, TellShapesAndColours) {
  const at::NoGradGuard no_grad;
  const Values values = {{"split", std::string("test")}, {"labels", std::string("object")}, {"max_count", int64_t{1}}};
  const auto dataset = builtin("dataset", "captioned-shapes", values);
  const Seen seen = see(dataset, "object", 4096, "shapes-classifier.safetensors", "logits");
  expect_top1("shapes-classifier", seen.layer, seen.classes, 1);
}

// A class is the mean direction of its captions, each counted once.
TEST(ShippedWeights, ClassifyByCaptionsAlone) {
  if (const std::string reason = no_fashion_mnist(); !reason.empty()) GTEST_SKIP() << reason;
  const at::NoGradGuard no_grad;
  const auto dataset = builtin("dataset", "fashion-mnist",
                               {{"split", std::string("test")}, {"captions", std::string("templates")}});
  const Seen seen = see(dataset, "label", 10000, "fashion-clip.safetensors", "embedding");
  const Clip text = {.weights = kWeights + "fashion-clip-text.safetensors", .output = "vector", .max_tokens = 24,
                     .width = 64, .layers = 2, .projection = 64};
  const Built tower = build(text);
  std::vector<at::Tensor> classes;
  for (int64_t k = 0; k < 10; ++k) {
    std::set<std::string> captions;
    for (size_t i = 0; i < seen.captions.size(); ++i)
      if (seen.classes[int64_t(i)].item<int64_t>() == k) captions.insert(seen.captions[i]);
    const Condition said = encode(tower.bound.component, {captions.begin(), captions.end()});
    classes.push_back(metrics::unit_rows(said.vector).mean(0));
  }
  const at::Tensor scores = metrics::unit_rows(seen.layer).matmul(metrics::unit_rows(at::stack(classes)).t());
  expect_top1("fashion-clip, zero-shot", scores, seen.classes, 0.9323);
}

}  // namespace
}  // namespace perrin::testing
