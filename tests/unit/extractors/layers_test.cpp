// What every extractor has to hold to, and the published sizes of VGG16.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace perrin::testing {
namespace {

struct Case {
  std::string id;
  Values values;
  int64_t least;  // side of the smallest image
};

std::vector<Case> cases() {
  Vgg classifier;
  classifier.classes = 5;
  Trunk clip;
  clip.width = 6;
  return {{"vgg", Vgg{}.values(), 2},
          {"vgg", classifier.values(), 4},
          {"resnet-small", Trunk{}.values(), 2},
          {"clip-image", clip.values(), 2}};
}

at::Tensor images(std::vector<int64_t> sizes) { return at::rand(sizes).mul(2).sub(1); }

void expect_inferred(const Case& c, int64_t channels, int64_t height, int64_t width) {
  const at::NoGradGuard no_grad;
  auto component = load("extractor", c.id, c.values);
  const Inferred inferred = infer(component, spec({channels, height, width}), 5);
  const Bound net(std::move(component));
  const auto layers = extract(net.component, images({2, channels, height, width}), up_to(inferred.names.size()));
  for (size_t i = 0; i < layers.size(); ++i) {
    const perrin_spec& s = inferred.specs[i];
    EXPECT_EQ(layers[i].sizes().slice(1), at::IntArrayRef(s.sizes, s.rank)) << c.id << " " << inferred.names[i];
    EXPECT_EQ(layers[i].size(0), 2);
  }
}

TEST(Extractors, give_the_shapes_that_they_inferred_for_grey_and_colour_images_of_any_size) {
  for (const Case& c : cases())
    for (const int64_t channels : {1, 3}) {
      expect_inferred(c, channels, 28, 28);
      expect_inferred(c, channels, 17, 33);
      expect_inferred(c, channels, c.least, c.least);
    }
}

TEST(Extractors, refuse_what_is_no_image_or_too_small) {
  for (const Case& c : cases()) {
    const std::string least = std::to_string(c.least) + " x " + std::to_string(c.least);
    for (const auto& sizes : std::vector<std::vector<int64_t>>{
             {2, 32, 32}, {4, 32, 32}, {32, 32}, {3, c.least - 1, 32}, {1, 32, c.least - 1}, {1, 2, 32, 32}}) {
      const auto said = refusal([&] { infer(load("extractor", c.id, c.values), spec(sizes), 5); });
      EXPECT_NE(said.find("1 or 3 channels"), std::string::npos) << said;
      EXPECT_NE(said.find(least), std::string::npos) << said;
      EXPECT_NE(said.find("[" + std::to_string(sizes[0])), std::string::npos) << said;
    }
  }
}

TEST(Extractors, refuse_keys_and_classes_that_do_not_fit) {
  const auto said = [](const std::string& id, const Values& values, uint64_t classes) {
    return refusal([&] { infer(load("extractor", id, values), spec({1, 28, 28}), classes); });
  };
  Vgg vgg;
  vgg.convolutions = {1};
  EXPECT_NE(said("vgg", vgg.values(), 0).find("channels has 2 blocks and convolutions has 1"), std::string::npos);
  Vgg classifier;
  classifier.classes = 5;
  EXPECT_NE(said("vgg", classifier.values(), 10).find("classes is 5, and the dataset has 10"), std::string::npos);
  Trunk trunk;
  EXPECT_NE(said("resnet-small", trunk.values(), 0).find("there are no classes"), std::string::npos);
  trunk.groups = 3;
  EXPECT_NE(said("resnet-small", trunk.values(), 5).find("8 channels do not divide into groups = 3"),
            std::string::npos);
}

// How often the host's convolution runs in f.
int64_t convolutions(const std::function<void()>& f) {
  static thread_local int64_t count;
  count = 0;
  const auto begin = [](const at::RecordFunction& record) -> std::unique_ptr<at::ObserverContext> {
    count += std::string_view(record.name()) == "perrin::conv2d";
    return nullptr;
  };
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin).scopes({at::RecordScope::FUNCTION}));
  f();
  at::removeCallback(handle);
  return count;
}

TEST(Extractors, compute_nothing_behind_the_last_layer_asked_for) {
  const at::NoGradGuard no_grad;
  const auto x = images({1, 3, 16, 16});
  const Bound vgg = extractor("vgg", Vgg{}.values(), spec({3, 16, 16}), 0);
  for (uint32_t i = 0; i < 3; ++i)
    EXPECT_EQ(convolutions([&] { extract(vgg.component, x, {i}); }), i + 1) << "relu number " << i;
  // stem; two convolutions in level1; two and the shortcut in level2.
  const Bound resnet = extractor("resnet-small", Trunk{}.values(), spec({3, 16, 16}), 5);
  const std::vector<int64_t> expected = {1, 3, 6, 6, 6};
  for (uint32_t i = 0; i < 5; ++i)
    EXPECT_EQ(convolutions([&] { extract(resnet.component, x, {i}); }), expected[i]) << "layer " << i;
  EXPECT_EQ(convolutions([&] { extract(resnet.component, x, {0, 1}); }), 3);
}

// Also with what later layers have being no number.
TEST(Extractors, give_a_layer_alone_as_they_give_it_among_all) {
  const at::NoGradGuard no_grad;
  for (const Case& c : cases()) {
    const auto x = images({2, 3, 16, 16});
    Bound net = extractor(c.id, c.values, spec({3, 16, 16}), 5);
    const Inferred names = infer(load("extractor", c.id, c.values), spec({3, 16, 16}), 5);
    const auto all = extract(net.component, x, up_to(names.names.size()));
    for (uint32_t i = 0; i < all.size(); ++i)
      EXPECT_TRUE(extract(net.component, x, {i})[0].equal(all[i])) << c.id << " " << names.names[i];
    net.declared.back().value.detach().fill_(NAN);
    net.declared[net.declared.size() - 2].value.detach().fill_(NAN);
    EXPECT_TRUE(extract(net.component, x, {0})[0].equal(all[0])) << c.id;
    const std::vector<uint32_t> last = {static_cast<uint32_t>(all.size()) - 1};
    EXPECT_ANY_THROW(extract(net.component, x, last));  // NaN is refused
    net.declared.back().value.detach().fill_(3);
    net.declared[net.declared.size() - 2].value.detach().fill_(3);
    EXPECT_FALSE(extract(net.component, x, last)[0].equal(all.back())) << "the last layer has other parameters";
  }
}

TEST(Extractors, give_a_sample_alone_what_it_gets_in_a_batch) {
  const at::NoGradGuard no_grad;
  double worst = 0;
  for (const Case& c : cases()) {
    at::manual_seed(0);
    const auto x = images({5, 3, 16, 16});
    const Bound net = extractor(c.id, c.values, spec({3, 16, 16}), 5);
    const auto n = infer(load("extractor", c.id, c.values), spec({3, 16, 16}), 5).names.size();
    const auto all = extract(net.component, x, up_to(n));
    const auto alone = extract(net.component, x.narrow(0, 3, 1), up_to(n));
    for (size_t i = 0; i < n; ++i) {
      const double scale = all[i].abs().max().item<double>();
      worst = std::max(worst, alone[i].sub(all[i].narrow(0, 3, 1)).abs().max().item<double>() / scale);
    }
  }
  std::printf("a sample alone against the same one in a batch of 5: at most %.1e of the largest element\n", worst);
  EXPECT_LT(worst, 1e-5);
}

int64_t count(const services::Component& extractor) {
  int64_t count = 0;
  const auto add = [](void* total, const perrin_param* p) -> perrin_status* {
    if (p->role == PERRIN_PARAMETER)
      *static_cast<int64_t*>(total) += c10::multiply_integers(p->sizes, p->sizes + p->rank);
    return nullptr;
  };
  const perrin_param_sink sink = {sizeof sink, 0, &count, add};
  extractor.invoke<&perrin_params::declare>(&sink);
  return count;
}

// torchvision 0.26.0's vgg16: 138,357,544 weights, of which 14,714,688 in `features`; LPIPS' taps relu1_2, relu2_2,
// relu3_3, relu4_3 and relu5_3 have 64, 128, 256, 512 and 512 channels (1801.03924; lpips.py, `chns` of vgg).
TEST(Vgg, has_the_published_sizes_by_default) {
  const Vgg full{{64, 128, 256, 512, 512}, {2, 2, 3, 3, 3}, 1000, 4096};
  const auto classifier = load("extractor", "vgg", full.values());
  const Inferred inferred = infer(classifier, spec({3, 224, 224}), 0);
  EXPECT_EQ(count(classifier), 138357544);
  std::map<std::string, int64_t> channels;
  for (size_t i = 0; i < inferred.names.size(); ++i) channels[inferred.names[i]] = inferred.specs[i].sizes[0];
  EXPECT_EQ(channels["relu1_2"], 64);
  EXPECT_EQ(channels["relu2_2"], 128);
  EXPECT_EQ(channels["relu3_3"], 256);
  EXPECT_EQ(channels["relu4_3"], 512);
  EXPECT_EQ(channels["relu5_3"], 512);
  EXPECT_EQ(channels["logits"], 1000);
  EXPECT_EQ(inferred.names.size(), 15u);

  Vgg features = full;
  features.classes = 0;
  const auto alone = load("extractor", "vgg", features.values());
  EXPECT_EQ(infer(alone, spec({1, 28, 28}), 10).names.size(), 13u);
  EXPECT_EQ(count(alone), 14714688);
}

// lpips 0.1.4's ScalingLayer: (x - shift) / scale with these numbers, of x in [-1, 1]. One convolution that passes its
// input on shows what the network sees; a constant keeps it above zero.
TEST(Vgg, normalises_as_LPIPS_does) {
  const at::NoGradGuard no_grad;
  Bound net = extractor("vgg", Vgg{{3}, {1}}.values(), spec({3, 4, 5}), 0);
  auto weight = net.at("features.0.weight").value.detach();
  weight.zero_();
  for (int64_t c = 0; c < 3; ++c) weight[c][c][1][1] = 1;
  net.at("features.0.bias").value.detach().fill_(4);
  const auto x = images({2, 3, 4, 5});
  const auto shift = at::tensor({-.030, -.088, -.188}).view({3, 1, 1});
  const auto scale = at::tensor({.458, .448, .450}).view({3, 1, 1});
  const auto seen = extract(net.component, x, {0})[0].sub(4);
  EXPECT_LT(seen.sub(x.sub(shift).div(scale)).abs().max().item<double>(), 2e-6);
  const auto grey = x.narrow(1, 0, 1);
  EXPECT_LT(extract(net.component, grey, {0})[0].sub(4).sub(grey.sub(shift).div(scale)).abs().max().item<double>(),
            2e-6)
      << "one channel stands for three";
}

TEST(InceptionV3, refuses_images_that_its_blocks_use_up) {
  const auto said = [](int64_t size, int64_t side) {
    const Values values = {{"variant", std::string("fid")}, {"classes", int64_t{10}}, {"size", size}};
    return refusal([&] { infer(load("extractor", "inception-v3", values), spec({3, side, side}), 0); });
  };
  EXPECT_NE(said(0, 74).find("at least 75 x 75"), std::string::npos) << said(0, 74);
  EXPECT_EQ(said(0, 75), "accepted");
  EXPECT_EQ(said(75, 1), "accepted");
  EXPECT_NE(said(50, 32).find("size must be 0 or at least 75; it is 50"), std::string::npos) << said(50, 32);
}

TEST(ResnetSmall, is_small) {
  const auto component = load("extractor", "resnet-small", Trunk{{32, 64, 96}, 1, 8}.values());
  infer(component, spec({1, 28, 28}), 10);
  EXPECT_EQ(count(component), 222826);  // the same layers in torch.nn
}

}  // namespace
}  // namespace perrin::testing
