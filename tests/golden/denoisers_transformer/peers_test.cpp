// dit, uvit and edm2-unet against the peers: the same random weights give the same output. data/ is peers.py's, which
// names packages, versions and commits. Tolerance: 1e-4 of the largest output.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "host/store/safetensors.hpp"
#include "tests/unit/plugins_b/transformers.hpp"

namespace perrin::testing {
namespace {

class Peer {
 public:
  explicit Peer(const std::string& name)
      : file_(store::SafeTensors::open(std::string(PERRIN_PEERS) + "/" + name + ".safetensors",
                                       store::Checksum::if_present)) {}

  // float32; undefined if absent.
  at::Tensor find(const std::string& name) const {
    const store::TensorView* view = file_.find(name);
    if (!view) return {};
    const auto dtype = view->dtype == store::Dtype::f16 ? at::kHalf : at::kFloat;
    auto* data = const_cast<std::byte*>(view->bytes.data());
    return at::from_blob(data, view->shape, at::TensorOptions().dtype(dtype)).to(at::kFloat, false, true);
  }
  at::Tensor at(const std::string& name) const {
    const auto tensor = find(name);
    if (!tensor.defined()) ADD_FAILURE() << "the peer's file has no " << name;
    return tensor;
  }

 private:
  store::SafeTensors file_;
};

// Our name -> the peer's, by replacing parts in this order. A part in braces names one tensor a letter, stacked.
using Names = std::vector<std::pair<std::string, std::string>>;

at::Tensor stacked(const Peer& peer, const std::string& name) {
  const size_t open = name.find('{'), close = name.find('}');
  if (open == std::string::npos) return peer.at(name);
  std::vector<at::Tensor> parts;
  for (size_t i = open + 1; i < close; ++i)
    parts.push_back(peer.at(name.substr(0, open) + name[i] + name.substr(close + 1)));
  return at::cat(parts);
}

at::Tensor weights(const Peer& peer, std::string name, const Names& names) {
  for (const auto& [ours, theirs] : names)
    if (const size_t at = name.find(ours); at != std::string::npos) name.replace(at, ours.size(), theirs);
  return stacked(peer, name);
}

using Weights = std::function<at::Tensor(const Peer&, const std::string&)>;

void expect_same(const std::string& file, const std::string& id, const Values& values, const Weights& weights) {
  const at::NoGradGuard no_grad;
  const Peer peer(file);
  const Condition condition{peer.find("in.vector"), peer.find("in.sequence"), peer.find("in.concat")};
  const auto x = peer.at("in.x"), expected = peer.at("out");
  const auto c = spec_of(condition);
  Bound net = denoiser(id, values, spec(x.sizes().slice(1).vec()), &c);
  for (Declared& d : net.declared) {
    const auto theirs = weights(peer, d.name);
    if (!theirs.defined()) continue;
    ASSERT_EQ(theirs.sizes(), at::IntArrayRef(d.sizes)) << d.name;
    d.value.detach().copy_(theirs);
  }
  const auto out = forward(net.component, x, peer.at("in.t"), condition);
  ASSERT_EQ(out.sizes(), expected.sizes());
  const double largest = expected.abs().max().item<double>();
  const double error = out.sub(expected).abs().max().item<double>() / largest;
  std::printf("%s: largest output %.4f (peer %.4f), apart by %.1e of it\n", file.c_str(),
              out.abs().max().item<double>(), largest, error);
  EXPECT_LT(error, 1e-4);
}

at::Tensor dit_weights(const Peer& peer, const std::string& name) {
  if (name == "pos_embed") return {};  // ours is a function of the shape, and part of the comparison
  const std::string embedder = "transformer_blocks.0.norm1.emb.timestep_embedder.linear_";
  static const Names names = {{"blocks.", "transformer_blocks."},
                              {"x_embedder.proj", "pos_embed.proj"},
                              {"t_embedder.mlp.0", embedder + "1"},
                              {"t_embedder.mlp.2", embedder + "2"},
                              {"final_layer.adaLN_modulation.1", "proj_out_1"},
                              {"final_layer.linear", "proj_out_2"},
                              {"adaLN_modulation.1", "norm1.linear"},
                              {"attn.qkv", "attn1.to_{qkv}"},
                              {"attn.proj", "attn1.to_out.0"},
                              {"cross.q", "attn2.to_q"},
                              {"cross.kv", "attn2.to_{kv}"},
                              {"cross.proj", "attn2.to_out.0"},
                              {"mlp.fc1", "ff.net.0.proj"},
                              {"mlp.fc2", "ff.net.2"}};
  return weights(peer, name, names);
}

at::Tensor edm2_weights(const Peer& peer, const std::string& name) {
  static const Names names = {
      {"enc.0.", "enc.8x8_"}, {"enc.1.", "enc.4x4_"}, {"dec.0.", "dec.8x8_"}, {"dec.1.", "dec.4x4_"}};
  const auto w = weights(peer, name, names);
  if (name.find("attn_qkv") == std::string::npos) return w;
  // The peer's rows are (head, channel of the head, q k v); ours (q k v, head, channel).
  return w.unflatten(0, {-1, 8, 3}).permute({2, 0, 1, 3, 4, 5}).flatten(0, 2);
}

at::Tensor same_name(const Peer& peer, const std::string& name) { return peer.at(name); }

TEST(Dit, gives_the_peers_output) {
  expect_same("dit", "dit", Dit{.depth = 2, .learnt_variance = true}.values(), dit_weights);
}

TEST(Dit, attends_to_a_sequence_as_the_peers_block_does) {
  expect_same("dit_cross", "dit", Dit{.depth = 1}.values(), dit_weights);
}

TEST(UVit, gives_the_authors_output) {
  expect_same("uvit", "uvit", UVit{.depth = 4, .mlp_ratio = 2}.values(), same_name);
}

TEST(UVit, takes_a_sequence_as_the_authors_text_model_does) {
  expect_same("uvit_t2i", "uvit", UVit{.patch = 4, .depth = 2}.values(), same_name);
}

TEST(Edm2, gives_the_authors_output) { expect_same("edm2", "edm2-unet", Edm2().values(), edm2_weights); }

}  // namespace
}  // namespace perrin::testing
