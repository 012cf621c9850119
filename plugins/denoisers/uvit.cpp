// U-ViT (2209.12152): time, conditions and patches are all tokens; long skips join the first half to the second.
// Parameter names are those of the authors' checkpoints; the class embedding (label_emb there) is the conditioner's.
#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>

#include <perrin/cpp/checkpoint.hpp>
#include <perrin/cpp/denoiser.hpp>

#include "shapes.hpp"
#include "transformer.hpp"

namespace {

using perrin::Init;
using perrin::Key;
using transformer::Dense;

class LayerNorm {
 public:
  LayerNorm(perrin::Parameters& p, const std::string& name, int64_t width) : width_(width) {
    perrin::Parameters::Options options;
    options.no_decay = true;
    weight_ = &p.add(name + ".weight", {width}, Init::ones(), options);
    bias_ = &p.add(name + ".bias", {width}, Init::zeros(), options);
  }
  at::Tensor operator()(const at::Tensor& x) const { return at::layer_norm(x, {width_}, *weight_, *bias_, 1e-5); }

 private:
  int64_t width_;
  const at::Tensor* weight_;
  const at::Tensor* bias_;
};

// A transformer block; in the second half it first joins the long skip (2209.12152, section 3.1, "Linear(Concat)").
class Block {
 public:
  enum class Skip { none, joined };
  Block(const transformer::Plan& plan, const std::string& name, Skip skip)
      : norm1_(plan.p, name + ".norm1", plan.width),
        attention_(plan, name + ".attn"),
        norm2_(plan.p, name + ".norm2", plan.width),
        mlp_(plan, name + ".mlp") {
    if (skip == Skip::joined) skip_.emplace(plan.p, name + ".skip_linear", 2 * plan.width, plan.width, plan.init);
  }
  // x, skip: [B, N, width] -> [B, N, width]. The sums stay outside the checkpointed parts, so that no gradient's bits
  // change.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& skip, bool checkpointing) const {
    const auto attend = [this](const std::vector<at::Tensor>& in) { return attention_(norm1_(in[0])); };
    const auto feed = [this](const std::vector<at::Tensor>& in) { return mlp_(norm2_(in[0])); };
    auto h = skip_ ? (*skip_)(at::cat(at::TensorList{x, skip}, -1)) : x;
    h = h.add(checkpointing ? perrin::checkpoint(attend, {h}) : attend({h}));
    return h.add(checkpointing ? perrin::checkpoint(feed, {h}) : feed({h}));
  }

 private:
  LayerNorm norm1_;
  transformer::SelfAttention attention_;
  LayerNorm norm2_;
  transformer::FeedForward mlp_;
  std::optional<Dense> skip_;
};

class UVit {
 public:
  static constexpr std::string_view id = "uvit", version = "0.1.0";
  static constexpr std::string_view doc =
      "U-ViT (2209.12152): a transformer with long skips over tokens for the time, a vector condition, each element of "
      "a sequence condition and each patch; a concat condition is beside the input's channels.";
  static std::vector<Key> keys() {
    return {
        Key::integer("patch", "2", "side of the square of pixels that is one token").min(1),
        Key::integer("width", "256", "size of a token").min(4),
        Key::integer("depth", "6", "number of blocks beside the middle one; even, as skips join the two halves").min(2),
        Key::integer("heads", "8", "attention heads; heads narrower than 32 cost more than they give").min(1),
        Key::number("mlp_ratio", "4", "hidden size of the feed-forward over width").min(0.25),
        Key::boolean("gradient_checkpointing", "false",
                     "training computes each block twice and keeps only its input: less memory, a third more "
                     "time, the same gradients")};
  }
  static void validate(const perrin::Config& config) {
    transformer::validate(config.integer("width"), config.integer("heads"), 2,
                          "half sines and half cosines of the time");
    if (config.integer("depth") % 2 != 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            "depth must be even, as skips join the first half to the second; it is " +
                                std::to_string(config.integer("depth")));
  }
  explicit UVit(const perrin::Config& config)
      : patch_(config.integer("patch")),
        width_(config.integer("width")),
        depth_(config.integer("depth")),
        heads_(config.integer("heads")),
        hidden_(static_cast<int64_t>(static_cast<double>(width_) * config.number("mlp_ratio"))),
        checkpointing_(config.boolean("gradient_checkpointing")) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    shapes::require_image(id, x, patch_, "patch = " + std::to_string(patch_) + " needs", "another patch");
    const int64_t in = x.sizes[0] + shapes::concat_channels(x, conditioning), size = patch_ * patch_;
    const Init uniform = Init::uniform(1 / std::sqrt(static_cast<double>(in * size)));
    patches_.emplace(p_, "patch_embed.proj", in, patch_, width_, uniform, uniform);
    const int64_t vector = shapes::vector_width(x, conditioning);
    if (vector != 0 && vector != width_) vector_.emplace(p_, "condition", vector, width_, transformer::normal_002);
    const auto sequence = shapes::sequence(x, conditioning);
    if (sequence.length != 0) context_.emplace(p_, "context_embed", sequence.width, width_, transformer::normal_002);
    extras_ = (vector != 0) + 1 + sequence.length;
    perrin::Parameters::Options options;
    options.no_decay = true;
    const int64_t tokens = extras_ + x.sizes[1] * x.sizes[2] / size;
    positions_ = &p_.add("pos_embed", {1, tokens, width_}, Init::normal(0.02), options);
    build({p_, width_, heads_, hidden_, transformer::normal_002, Dense::Bias::none, "none"});
    norm_.emplace(p_, "norm", width_);
    to_pixels_.emplace(p_, "decoder_pred", width_, size * x.sizes[0], transformer::normal_002);
    out_.emplace(p_, "final_layer", x.sizes[0], x.sizes[0]);
    return x;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C, H, W].
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    auto h = tokens(x, c_noise, conditioning).add(*positions_);
    std::vector<at::Tensor> skips;
    for (const Block& block : in_) skips.push_back(h = block(h, {}, checkpointing_));
    h = (*mid_)(h, {}, checkpointing_);
    for (const Block& block : out_blocks_) {
      h = block(h, skips.back(), checkpointing_);
      skips.pop_back();
    }
    const auto pixels = (*to_pixels_)((*norm_)(h).slice(1, extras_));  // [B, N, patch patch C]
    return (*out_)(transformer::image(pixels, patch_, x).contiguous(at::MemoryFormat::ChannelsLast));
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  void build(const transformer::Plan& plan) {
    const auto name = [](const char* part, int64_t i) { return part + std::to_string(i); };
    for (int64_t i = 0; i < depth_ / 2; ++i) in_.emplace_back(plan, name("in_blocks.", i), Block::Skip::none);
    mid_.emplace(plan, "mid_block", Block::Skip::none);
    for (int64_t i = 0; i < depth_ / 2; ++i)
      out_blocks_.emplace_back(plan, name("out_blocks.", i), Block::Skip::joined);
  }

  // Vector, time, sequence, patches: [B, extras + N, width]. A vector that is as wide as a token is one as it is.
  at::Tensor tokens(const at::Tensor& x, const at::Tensor& c_noise, const perrin::Conditioning& conditioning) const {
    const auto input = conditioning.concat.defined() ? at::cat(at::TensorList{x, conditioning.concat}, 1) : x;
    std::vector<at::Tensor> all;
    if (conditioning.vector.defined())
      all.push_back((vector_ ? (*vector_)(conditioning.vector) : conditioning.vector).unsqueeze(1));
    all.push_back(perrin::timestep_embedding(c_noise, width_).to(x.scalar_type()).unsqueeze(1));
    if (context_) all.push_back((*context_)(conditioning.sequence));
    all.push_back((*patches_)(input));
    return at::cat(all, 1);
  }

  int64_t patch_, width_, depth_, heads_, hidden_;
  bool checkpointing_;
  int64_t extras_ = 0;  // tokens before the patches
  perrin::Parameters p_;
  const at::Tensor* positions_ = nullptr;
  std::optional<transformer::PatchEmbedding> patches_;
  std::optional<Dense> vector_, context_, to_pixels_;
  std::vector<Block> in_, out_blocks_;
  std::optional<Block> mid_;
  std::optional<LayerNorm> norm_;
  std::optional<perrin::Conv2d> out_;
};
PERRIN_DENOISER(UVit);

}  // namespace
