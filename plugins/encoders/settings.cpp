#include "settings.hpp"

#include <algorithm>

namespace first_stage {

using perrin::Failure;
using perrin::Key;

namespace {

constexpr const char* kDown[] = {"conv",     "max",     "avg",  "adaptive-avg",   "adaptive-max",
                                 "bilinear", "nearest", "area", "pixel-unshuffle"};
constexpr const char* kUp[] = {"conv-transpose", "nearest-conv", "bilinear-conv", "pixel-shuffle"};

// The choice's place in its list, which is the enumeration's order; the schema admits no other.
template <class Choice, size_t n>
Choice choice(const char* const (&names)[n], const std::string& name) {
  return static_cast<Choice>(std::find(names, names + n, name) - names);
}

Failure invalid(const std::string& message) { return Failure(PERRIN_INVALID_CONFIG, message); }

std::vector<Key> shape_keys() {
  return {
      Key::integers("channels", "[32, 64]", "channels at each level; each level but the last halves height and width")
          .min(1)
          .alias("block_out_channels"),
      Key::integer("blocks", "2", "residual blocks per level of the encoder; one more of the decoder")
          .min(1)
          .alias("layers_per_block"),
      Key::integers("attention", "[]",
                    "heights in pixels of the levels with attention after each residual block: [16] of images of 64 "
                    "the level after two halvings")
          .min(1)
          .alias("attn_resolutions"),
      Key::boolean("mid_attention", "true", "attention between the two residual blocks in the middle")
          .alias("mid_block_add_attention"),
      Key::integer("groups", "32", "groups of each group normalisation; divides every entry of channels")
          .min(1)
          .alias("norm_num_groups"),
      Key::boolean("quant_conv", "true",
                   "1 x 1 convolutions on both sides of the latent; the autoencoders of Stable Diffusion 3 and Flux have "
                   "none")
          .alias("use_quant_conv"),
      Key::integer("latent_channels", "4", "channels of the latent").min(1).alias("embed_dim")};
}

std::vector<Key> resampling_keys() {
  return {Key::string("downsample", "'conv'",
                      "how the encoder halves: conv a learnt convolution of stride two, the others "
                      "without parameters but for pixel-unshuffle's 1 x 1 convolution")
              .choices({"conv", "max", "avg", "adaptive-avg", "adaptive-max", "bilinear", "nearest", "area",
                        "pixel-unshuffle"}),
          Key::string("upsample", "'nearest-conv'", "how the decoder doubles; each has a learnt convolution")
              .choices({"conv-transpose", "nearest-conv", "bilinear-conv", "pixel-shuffle"}),
          Key::integer("temporal", "0",
                       "of clips [C, T, H, W]: the first so many halvings halve T too; 0 treats frames independently")
              .min(0)};
}

std::vector<Key> running_keys() {
  return {
      Key::integer(
          "tile", "0",
          "in evaluation, larger images are encoded and decoded in tiles of so many pixels a side, a quarter of "
          "them shared with the neighbour and blended; 0: in one piece")
          .min(0)
          .unit("pixels"),
      Key::integer("slice", "0", "in evaluation, samples encoded or decoded at a time; 0: the batch").min(0),
      Key::number("dropout", "0.0",
                  "probability that training zeroes an element before a residual block's last convolution")
          .min(0)
          .below(1),
      Key::number("stochastic_depth", "0.0", "probability that training leaves a residual block out (1603.09382)")
          .min(0)
          .below(1),
      Key::boolean("gradient_checkpointing", "false",
                   "training computes each block twice and keeps only its input: less memory, a third more time, the "
                   "same gradients"),
      Key::string(
          "weights", "''",
          "safetensors file of initial values, laid out as diffusers' class of the same network or as CompVis' (LDM, "
          "SGM), also within a whole pipeline's file; empty: drawn")};
}

}  // namespace

std::vector<Key> keys() {
  std::vector<Key> keys = shape_keys();
  for (const auto& more : {resampling_keys(), running_keys()}) keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

Settings::Settings(const perrin::Config& config)
    : channels(config.integers("channels")),
      attention(config.integers("attention")),
      blocks(config.integer("blocks")),
      groups(config.integer("groups")),
      latent_channels(config.integer("latent_channels")),
      temporal(config.integer("temporal")),
      tile(config.integer("tile")),
      slice(config.integer("slice")),
      mid_attention(config.boolean("mid_attention")),
      quant_conv(config.boolean("quant_conv")),
      gradient_checkpointing(config.boolean("gradient_checkpointing")),
      dropout(config.number("dropout")),
      stochastic_depth(config.number("stochastic_depth")),
      downsample(choice<Down>(kDown, config.string("downsample"))),
      upsample(choice<Up>(kUp, config.string("upsample"))),
      weights(config.string("weights")) {
  if (channels.empty()) throw invalid("channels is empty; a level needs a number");
  for (int64_t c : channels)
    if (c % groups != 0)
      throw invalid("groups = " + std::to_string(groups) + " does not divide channels = " + std::to_string(c) +
                    "; the largest that does is " + std::to_string(std::gcd(c, groups)));
  if (temporal >= levels())
    throw invalid("temporal = " + std::to_string(temporal) + ", and channels of " + std::to_string(levels()) +
                  " levels halve " + std::to_string(levels() - 1) + " times; give fewer, or more channels");
  if (tile % (4 * factor()) != 0)
    throw invalid("tile = " + std::to_string(tile) + " is no multiple of " + std::to_string(4 * factor()) +
                  ", a quarter of it of the latent's pixels; give " +
                  std::to_string((tile / (4 * factor()) + 1) * 4 * factor()));
}

bool Settings::attends(int64_t height) const {
  return std::find(attention.begin(), attention.end(), height) != attention.end();
}

std::shared_ptr<const perrin::Draws> Context::frame_draws() const {
  if (!draws || frames == 1) return draws;
  auto of_frames = std::make_shared<perrin::Draws>(perrin::Draws{draws->seed, {}});
  const auto n = static_cast<uint64_t>(frames);
  for (const uint64_t sample : draws->samples)
    for (uint64_t t = 0; t < n; ++t) of_frames->samples.push_back(sample * n + t);
  return of_frames;
}

}  // namespace first_stage
