// The encoder `autoencoder-kl` with the weights of diffusers' AutoencoderKL, read by its key `weights`, gives what that
// gives: float32, moments, image and gradient of the input to 1e-4 of their largest element. Files: data/make.py.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "host/store/safetensors.hpp"
#include "tests/unit/encoders_ae/held.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

namespace fs = std::filesystem;
using Integers = std::vector<int64_t>;
using Tensors = std::map<std::string, at::Tensor>;

// A file of the peer: its weights, float8_e4m3fn there, and the rest.
struct Peer {
  explicit Peer(const std::string& name) {
    const auto file =
        store::SafeTensors::open(std::string(PERRIN_GOLDEN) + "/" + name + ".safetensors", store::Checksum::if_present);
    for (const std::string& entry : file.names()) {
      const store::TensorView& view = *file.find(entry);
      const auto dtype = view.dtype == store::Dtype::f8_e4m3 ? at::kFloat8_e4m3fn : at::kFloat;
      const auto value = at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, dtype).to(at::kFloat);
      (entry.starts_with("weights.") ? weights[entry.substr(8)] : given[entry]) = value.clone();
    }
  }
  Tensors weights, given;
};

// A safetensors file with these tensors, removed at the end.
class File {
 public:
  explicit File(const Tensors& tensors) {
    std::vector<store::TensorView> views;
    for (const auto& [name, t] : tensors)
      views.push_back({name,
                       store::Dtype::f32,
                       t.sizes().vec(),
                       {static_cast<const std::byte*>(t.const_data_ptr()), static_cast<size_t>(t.nbytes())}});
    store::write_safetensors(path, views, {});
  }
  ~File() { fs::remove(path); }
  const fs::path path = fs::temp_directory_path() / ("encoders_ae." + std::to_string(getpid()) + ".safetensors");
};

void expect_equal(const char* what, const at::Tensor& ours, const at::Tensor& peers) {
  const double difference = apart(ours, peers);
  std::printf("  %s: at most %.1e of the peer's largest element, %.4f, apart\n", what, difference,
              peers.abs().max().item<double>());
  EXPECT_LT(difference, 1e-4) << what;
}

Bound loaded(const Peer& peer, const Tensors& weights, Values values) {
  const File file(weights);
  values["weights"] = file.path.string();
  return encoder("autoencoder-kl", values, peer.given.at("x").sizes().slice(1).vec());
}

void expect_parity(const Peer& peer, const Bound& net) {
  const at::Tensor x = peer.given.at("x").clone().set_requires_grad(true);
  const auto encoded = encode_training(net, x);
  const at::Tensor image = decode(net, encoded[1]);
  image.square().mean().add(encoded[1].square().mean().add(encoded[2].square().mean()).div(2)).backward();
  std::printf("%lld parameters\n", static_cast<long long>(net.values.numel()));
  expect_equal("mean", encoded[1], peer.given.at("mean"));
  expect_equal("log-variance", encoded[2], peer.given.at("log_variance"));
  expect_equal("image", image, peer.given.at("out"));
  expect_equal("gradient of the input", x.grad(), peer.given.at("x_gradient"));
}

Values settings(Integers channels, int64_t blocks, int64_t groups, int64_t latent_channels) {
  return {
      {"channels", std::move(channels)}, {"blocks", blocks}, {"groups", groups}, {"latent_channels", latent_channels}};
}

TEST(AutoencoderKLParity, with_attention_in_the_middle) {
  const Peer peer("autoencoder_kl");
  const Bound net = loaded(peer, peer.weights, settings({16, 32}, 1, 8, 4));
  EXPECT_EQ(net.declared.size(), peer.weights.size());
  expect_parity(peer, net);
}

TEST(AutoencoderKLParity, with_attention_in_the_levels_alone) {
  const Peer peer("autoencoder_kl_attention_in_levels");
  const Bound net = loaded(
      peer, peer.weights, with(settings({8, 16, 16}, 2, 4, 3), {{"mid_attention", false}, {"attention", Integers{8}}}));
  EXPECT_EQ(net.declared.size(), peer.weights.size());
  expect_parity(peer, net);
}

// Files made before diffusers 0.13, among them Stable Diffusion 1's own, have other names for an attention's layers.
TEST(AutoencoderKLParity, reads_the_older_names_of_attention) {
  const Peer peer("autoencoder_kl");
  Tensors renamed;
  for (const auto& [name, value] : peer.weights) {
    std::string older = name;
    for (const auto& [now, then] :
         {std::pair{"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}})
      if (const size_t at = older.find(now); at != std::string::npos) older.replace(at, std::string(now).size(), then);
    renamed[older] = value;
  }
  ASSERT_TRUE(renamed.contains("encoder.mid_block.attentions.0.query.weight"));
  expect_parity(peer, loaded(peer, renamed, settings({16, 32}, 1, 8, 4)));
}

// As Stable Diffusion 3's and Flux', which no convolutions stand around.
TEST(AutoencoderKLParity, without_convolutions_around_the_latent) {
  const Peer peer("autoencoder_kl_bare");
  const Values bare = with(settings({8, 16}, 1, 4, 4), {{"quant_conv", false}});
  const Bound net = loaded(peer, peer.weights, bare);
  EXPECT_EQ(net.declared.size(), peer.weights.size());
  expect_parity(peer, net);
  const std::string said = message_of([&] { loaded(peer, peer.weights, settings({8, 16}, 1, 4, 4)); });
  EXPECT_NE(said.find("has no tensor \"quant_conv.weight\": set quant_conv = false"), std::string::npos) << said;
  const Peer whole("autoencoder_kl");
  const std::string more =
      message_of([&] { loaded(whole, whole.weights, with(settings({16, 32}, 1, 8, 4), {{"quant_conv", false}})); });
  EXPECT_NE(more.find("set quant_conv = true"), std::string::npos) << more;
}

// A whole pipeline's file: diffusers' names behind "vae.", CompVis' behind "first_stage_model.", other models beside them.
TEST(AutoencoderKLParity, reads_a_pipelines_file) {
  const Peer peer("autoencoder_kl");
  Tensors ours{{"unet.conv_in.weight", at::ones({1})}}, compvis{{"model.diffusion_model.out.2.bias", at::ones({1})}};
  for (const auto& [name, value] : peer.weights) ours["vae." + name] = value;
  expect_parity(peer, loaded(peer, ours, settings({16, 32}, 1, 8, 4)));
  std::ifstream names(std::string(PERRIN_GOLDEN) + "/compvis_names.txt");
  for (std::string theirs, own; names >> theirs >> own;) {
    const at::Tensor& value = peer.weights.at(own);
    const bool projection = theirs.find(".attn_1.") != theirs.npos && value.dim() == 2;
    compvis["first_stage_model." + theirs] = projection ? value.unsqueeze(-1).unsqueeze(-1) : value;
  }
  ASSERT_EQ(compvis.size(), peer.weights.size() + 1);
  expect_parity(peer, loaded(peer, compvis, settings({16, 32}, 1, 8, 4)));
  const std::string none = message_of([&] { loaded(peer, {{"conv_in.weight", at::ones({1})}}, settings({16, 32}, 1, 8, 4)); });
  EXPECT_NE(none.find("no first stage of diffusers or CompVis"), std::string::npos) << none;
}

TEST(AutoencoderKLParity, refuses_a_file_of_another_network) {
  const Peer peer("autoencoder_kl");
  const std::string narrow = message_of([&] { loaded(peer, peer.weights, settings({8, 32}, 1, 8, 4)); });
  EXPECT_NE(narrow.find("encoder.conv_in.weight\" is [16, 3, 3, 3]"), std::string::npos) << narrow;
  const std::string deep = message_of([&] { loaded(peer, peer.weights, settings({16, 32}, 2, 8, 4)); });
  EXPECT_NE(deep.find("encoder.down_blocks.0.resnets.1"), std::string::npos) << deep;
}

}  // namespace
}  // namespace perrin::testing
