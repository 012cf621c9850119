// The diffusion transformer (2212.09748) with adaLN-zero blocks. Parameter names are those of the authors' checkpoints;
// the class embedding (y_embedder there) is the conditioner's.
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>

#include <perrin/cpp/checkpoint.hpp>
#include <perrin/cpp/denoiser.hpp>

#include "dit_block.hpp"
#include "shapes.hpp"

namespace {

using perrin::Init;
using perrin::Key;
using transformer::Dense;

constexpr int64_t frequencies = 256;  // of the timestep embedding

// 1706.03762, section 3.5, on a grid: sines and cosines of the column in the first half, of the row in the second.
at::Tensor positions(int64_t rows, int64_t columns, int64_t width) {
  const auto half = [width](int64_t n) {
    const auto e = perrin::timestep_embedding(at::arange(n, at::kFloat), width / 2);  // cosines first
    return at::cat(at::TensorList{e.slice(1, width / 4), e.slice(1, 0, width / 4)}, 1);
  };
  const auto x = half(columns).unsqueeze(0).expand({rows, columns, width / 2});
  const auto y = half(rows).unsqueeze(1).expand({rows, columns, width / 2});
  return at::cat(at::TensorList{x, y}, 2).flatten(0, 1);  // [rows columns, width]
}

class Dit {
 public:
  static constexpr std::string_view id = "dit", version = "0.1.0";
  static constexpr std::string_view doc =
      "Diffusion transformer with adaLN-zero blocks (2212.09748): the time and a vector condition modulate each block, "
      "a sequence condition is attended to, a concat condition is beside the input's channels.";
  static std::vector<Key> keys() {
    return {Key::integer("patch", "2", "side of the square of pixels that is one token").min(1),
            Key::integer("width", "256", "size of a token").min(4),
            Key::integer("depth", "6", "number of blocks").min(1),
            Key::integer("heads", "8", "attention heads; heads narrower than 32 cost more than they give").min(1),
            Key::number("mlp_ratio", "4", "hidden size of the feed-forward over width").min(0.25),
            Key::boolean("learnt_variance", "false",
                         "predict as many channels again, for a learnt variance (2102.09672, section 3.1)"),
            Key::boolean("gradient_checkpointing", "false",
                         "training computes each block twice and keeps only its input: less memory, a third more "
                         "time, the same gradients")};
  }
  static void validate(const perrin::Config& config) {
    transformer::validate(config.integer("width"), config.integer("heads"), 4, "sines and cosines of row and column");
  }
  explicit Dit(const perrin::Config& config)
      : patch_(config.integer("patch")),
        width_(config.integer("width")),
        depth_(config.integer("depth")),
        heads_(config.integer("heads")),
        hidden_(static_cast<int64_t>(static_cast<double>(width_) * config.number("mlp_ratio"))),
        learnt_variance_(config.boolean("learnt_variance")),
        checkpointing_(config.boolean("gradient_checkpointing")) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    shapes::require_image(id, x, patch_, "patch = " + std::to_string(patch_) + " needs", "another patch");
    perrin_spec prediction = x;
    if (learnt_variance_) prediction.sizes[0] *= 2;
    const int64_t in = x.sizes[0] + shapes::concat_channels(x, conditioning), size = patch_ * patch_;
    patches_.emplace(p_, "x_embedder.proj", in, patch_, width_, transformer::xavier(in * size, width_), Init::zeros());
    // Not trained, not saved: a function of the shape.
    positions_ = positions(x.sizes[1] / patch_, x.sizes[2] / patch_, width_);
    p_.adopt("pos_embed", positions_, PERRIN_SCRATCH);
    time_1_.emplace(p_, "t_embedder.mlp.0", frequencies, width_, transformer::normal_002);
    time_2_.emplace(p_, "t_embedder.mlp.2", width_, width_, transformer::normal_002);
    const int64_t vector = shapes::vector_width(x, conditioning);
    if (vector != 0 && vector != width_) condition_.emplace(p_, "condition", vector, width_, transformer::normal_002);
    const transformer::Plan plan = {p_, width_, heads_, hidden_, transformer::xavier, Dense::Bias::zeros, "tanh"};
    const int64_t sequence = shapes::sequence(x, conditioning).width;
    for (int64_t i = 0; i < depth_; ++i) blocks_.emplace_back(plan, "blocks." + std::to_string(i), sequence);
    modulation_.emplace(p_, "final_layer.adaLN_modulation.1", width_, 2 * width_, transformer::zeros);
    out_.emplace(p_, "final_layer.linear", width_, size * prediction.sizes[0], transformer::zeros);
    return prediction;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C or 2C, H, W].
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    const auto input = conditioning.concat.defined() ? at::cat(at::TensorList{x, conditioning.concat}, 1) : x;
    const auto c = embed(c_noise, x.scalar_type(), conditioning.vector);
    auto h = (*patches_)(input).add(positions_);  // [B, N, width]
    for (const dit::Block& block : blocks_) {
      const auto part = [&block](const std::vector<at::Tensor>& in) { return block(in[0], in[1], in[2]); };
      const std::vector<at::Tensor> in{h, c, conditioning.sequence};
      h = checkpointing_ ? perrin::checkpoint(part, in) : part(in);
    }
    const auto m = (*modulation_)(c).unsqueeze(1).chunk(2, -1);  // shift, scale
    return transformer::image((*out_)(dit::modulate(h, m[0], m[1])), patch_, x);
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  // silu of the embedding of time plus vector condition: [B, width]. A vector that is as wide as a token is added as it
  // is.
  at::Tensor embed(const at::Tensor& c_noise, at::ScalarType dtype, const at::Tensor& vector) const {
    auto e = (*time_2_)(at::silu((*time_1_)(perrin::timestep_embedding(c_noise, frequencies).to(dtype))));
    if (vector.defined()) e = e.add(condition_ ? (*condition_)(vector) : vector);
    return at::silu(e);
  }

  int64_t patch_, width_, depth_, heads_, hidden_;
  bool learnt_variance_, checkpointing_;
  perrin::Parameters p_;
  at::Tensor positions_;  // [N, width]
  std::optional<transformer::PatchEmbedding> patches_;
  std::optional<Dense> time_1_, time_2_, condition_, modulation_, out_;
  std::vector<dit::Block> blocks_;
};
PERRIN_DENOISER(Dit);

}  // namespace
