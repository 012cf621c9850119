// perrin.extractor/1: what is written comes back, shared and frozen, and what does not fit is refused in one message.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <fstream>

#include "host/base/error.hpp"
#include "host/services/extractor_file.hpp"
#include "host/services/extractor_weights.hpp"
#include "host/services/tensor.hpp"
#include "tests/unit/extractors/opened.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

const perrin_spec kGrey = spec({1, 12, 12});

// A trained network's file, in a folder of its own.
class ExtractorService : public ::testing::Test {
 protected:
  ExtractorService() : net(extractor("resnet-small", trunk.values(), kGrey, 5)), file(folder.path / "r.safetensors") {
    write(services::weights_metadata("extractor", "resnet-small", trunk.values(), kGrey, 5));
  }
  void write(const std::map<std::string, std::string>& metadata) { write_weights(file, net, metadata); }
  std::string refused(const std::string& use, const perrin_spec& x = kGrey) {
    return refusal([&] { Opened(use, file.string(), x); });
  }
  // Refused, with the file's name and all `parts` in one message.
  void expect_refused(const std::string& said, std::initializer_list<const char*> parts) {
    EXPECT_NE(said.find("r.safetensors"), std::string::npos) << said;
    for (const char* part : parts) EXPECT_NE(said.find(part), std::string::npos) << said;
  }

  Trunk trunk;
  Bound net;
  Folder folder;
  std::filesystem::path file;
};

TEST_F(ExtractorService, gives_what_was_written_bit_for_bit) {
  const at::NoGradGuard no_grad;
  const auto x = at::randn({3, 1, 12, 12});
  const auto before = extract(net.component, x, up_to(5));
  for (const char* use : {"", "resnet-small"}) {
    const Opened opened(use, file.string(), kGrey);
    EXPECT_EQ(opened.layers(), (std::vector<std::string>{"stem", "level1", "level2", "features", "logits"}));
    EXPECT_EQ(opened.specs()[4].sizes[0], 5);
    EXPECT_EQ(services::view(opened.specs()[1].name), "level1");
    const auto after = opened(x);
    for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(after[i].equal(before[i])) << opened.layers()[i];
    EXPECT_TRUE(opened(x, {1, 4})[1].equal(before[4]));
  }
  const Opened larger("", file.string(), spec({1, 20, 17}));
  EXPECT_EQ(larger(at::randn({1, 1, 20, 17}))[2].sizes(), (std::vector<int64_t>{1, 16, 10, 9}));
}

TEST_F(ExtractorService, is_frozen_and_lets_gradients_through_to_the_images) {
  const Opened opened("", file.string(), kGrey);
  EXPECT_FALSE(opened(at::randn({2, 1, 12, 12}))[4].requires_grad());
  const auto x = at::randn({2, 1, 12, 12}).set_requires_grad(true);
  opened(x)[4].sum().backward();
  EXPECT_GT(x.grad().abs().max().item<float>(), 0);
}

TEST_F(ExtractorService, follows_images_in_float64_and_back) {
  const Opened opened("", file.string(), kGrey);
  at::set_num_threads(1);
  at::manual_seed(0);
  const auto x = leaf({2, 1, 12, 12}), projection = at::randn({2, 5}, at::kDouble);
  const double worst = worst_directional_error([&] { return opened(x, {4})[0].mul(projection).sum(); }, {{"x", x}});
  std::printf("gradient of the images: relative error %.1e\n", worst);
  const at::NoGradGuard no_grad;
  const auto f = x.detach().to(at::kFloat);
  EXPECT_TRUE(opened(f, {4})[0].equal(extract(net.component, f, {4})[0]));
}

TEST_F(ExtractorService, reads_each_file_once_for_all_that_have_it_open) {
  auto first = services::ExtractorWeights::of(file.string());
  const auto tensor = first->get("stem.weight", {8, 1, 3, 3});
  EXPECT_EQ(services::ExtractorWeights::of(file.string()), first);
  EXPECT_EQ(services::ExtractorWeights::of(file.string())->get("stem.weight", {8, 1, 3, 3}).data_ptr(),
            tensor.data_ptr());
  EXPECT_FALSE(tensor.requires_grad());
  const int64_t before = services::live_tensors();
  { const Opened one("", file.string(), kGrey), two("", file.string(), kGrey); }
  EXPECT_EQ(services::live_tensors(), before) << "references lost";
  net.at("logits.bias").value.detach().fill_(7);
  write({{"perrin.extractor", "resnet-small"}});
  EXPECT_NE(services::ExtractorWeights::of(file.string()), first) << "a file that was written again is another one";
}

TEST_F(ExtractorService, refuses_a_file_that_is_not_there_or_not_safetensors) {
  std::filesystem::remove(file);
  expect_refused(refused(""), {"there is no file"});
  std::ofstream(file) << "not a safetensors file, but long enough to be one";
  expect_refused(refused("resnet-small"), {});
  EXPECT_NE(refusal([] { Opened("vgg", "", kGrey); }).find("no file of the extractor's weights is named"),
            std::string::npos);
}

TEST_F(ExtractorService, refuses_a_file_that_is_not_of_this_extractor) {
  expect_refused(refused("vgg"), {"weights of the extractor \"resnet-small\", not of \"vgg\""});
  write({});
  expect_refused(refused(""), {"does not say which extractor", "perrin.extractor"});
  expect_refused(refused("vgg", spec({1, 16, 16})), {"no tensor \"features.0.weight\""});
  EXPECT_NE(refused("vggg").find("there is no extractor \"vggg\""), std::string::npos);
  EXPECT_NE(refused("vggg").find("did you mean \"vgg\""), std::string::npos) << refused("vggg");
  write({{"perrin.extractor", "acme.net"}});
  EXPECT_NE(refused("").find("there is no extractor \"acme.net\""), std::string::npos) << refused("");
}

TEST_F(ExtractorService, refuses_shapes_that_do_not_fit) {
  auto metadata = services::weights_metadata("extractor", "resnet-small", trunk.values(), kGrey, 5);
  expect_refused(refused("", spec({3, 12, 12})), {"trained on images [1,12,12]", "[3, 12, 12]", "channels differ"});
  EXPECT_NE(refused("", spec({1, 1, 12})).find("at least 2 x 2"), std::string::npos);
  metadata["perrin.extractor.classes"] = "7";
  write(metadata);
  expect_refused(refused(""), {"\"logits.weight\" is [5, 16], and the extractor's is [7, 16]"});
  Trunk wide = trunk;
  wide.channels = {8, 32};
  write(services::weights_metadata("extractor", "resnet-small", wide.values(), kGrey, 5));
  expect_refused(refused(""), {"\"levels.1.0.conv1.weight\" is [16, 8, 3, 3], and the extractor's is [32, 8, 3, 3]"});
}

TEST_F(ExtractorService, refuses_metadata_that_it_cannot_follow) {
  const auto with = [&](const char* key, const char* value) {
    auto metadata = services::weights_metadata("extractor", "resnet-small", trunk.values(), kGrey, 5);
    metadata[key] = value;
    write(metadata);
    return refused("");
  };
  expect_refused(with("perrin.extractor.config", "{\"channels\": "), {"perrin.extractor.config", "is not JSON"});
  expect_refused(with("perrin.extractor.config", "[8]"), {"is no JSON object"});
  expect_refused(with("perrin.extractor.config", "{\"chanels\": [8]}"), {"\"chanels\"", "did you mean \"channels\""});
  expect_refused(with("perrin.extractor.config", "{\"channels\": \"wide\"}"), {"cannot be read"});
  expect_refused(with("perrin.extractor.config", "{\"groups\": 0}"), {"\"groups\"", "range >= 1"});
  expect_refused(with("perrin.extractor.config", (std::string(100000, '[')).c_str()), {"is nested too deep"});
  expect_refused(with("perrin.extractor.input", "{}"), {"is no shape"});
  expect_refused(with("perrin.extractor.classes", "ten"), {"is not JSON: ten"});
}

TEST_F(ExtractorService, metadata_lead_to_no_other_file) {
  const auto script = folder.path / "other.pt";
  std::ofstream(script) << "never read";
  write({{"perrin.extractor", "torchscript"}, {"perrin.extractor.config", "{\"file\": \"" + script.string() + "\"}"}});
  expect_refused(refused(""), {"which reads another file"});
}

TEST_F(ExtractorService, refuses_a_batch_of_another_shape) {
  const Opened opened("", file.string(), kGrey);
  const auto said = refusal([&] { opened(at::rand({2, 1, 12, 13})); });
  EXPECT_NE(said.find("opened for images [1, 12, 12] and given a batch [2, 1, 12, 13]"), std::string::npos) << said;
  EXPECT_NE(refusal([&] { opened(at::rand({2, 1, 12, 12}), {5}); }).find("below 5"), std::string::npos);
  EXPECT_NE(refusal([&] { opened(at::rand({2, 1, 12, 12}), {2, 1}); }).find("ascend"), std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
