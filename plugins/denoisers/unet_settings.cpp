#include "unet_settings.hpp"

#include <algorithm>

namespace unet {

using perrin::Failure;
using perrin::Key;

namespace {

// Of an attention head if the file gives neither number.
constexpr int64_t kHeadChannels = 32;

int64_t largest_divisor(int64_t of, int64_t at_most) {
  int64_t d = std::min(of, at_most);
  while (of % d != 0) --d;
  return d;
}

Failure invalid(const std::string& message) { return Failure(PERRIN_INVALID_CONFIG, message); }

}  // namespace

std::vector<Key> keys() {
  return {
      Key::integers("channels", "[32, 64]", "channels at each level; each level halves height and width").min(1),
      Key::integer("layers_per_block", "2", "residual blocks per level going down; one more going up")
          .min(1)
          .alias("num_res_blocks"),
      Key::integers("attention", "[-1]",
                    "levels with attention after each residual block, 0 the finest, -1 the coarsest; the "
                    "middle's is add_attention"),
      Key::integers("transformer_depth", "[0]",
                    "transformer blocks in each attention, 0 for plain attention: one number, or one a level, of which "
                    "the last is the middle's too")
          .min(0)
          .alias("transformer_layers_per_block"),
      Key::integer("heads", "0", "attention heads at every level; 0: as many as head_channels makes")
          .min(0)
          .alias("num_heads"),
      Key::integer(
          "head_channels", "0",
          "channels of an attention head, or all of a narrower level; 0: 32, or what heads makes; 8 costs four "
          "times as much as 32")
          .min(0)
          .alias("attention_head_dim"),
      Key::boolean(
          "linear_projection", "false",
          "weights into and out of a transformer are matrices, not 1 x 1 convolutions: the same numbers, shaped "
          "as the checkpoints of Stable Diffusion 2 have them")
          .alias("use_linear_projection"),
      Key::integer("groups", "32", "groups of each group normalisation; divides every entry of channels")
          .min(1)
          .alias("norm_num_groups"),
      Key::number("norm_eps", "1e-5", "added to the variance in each group normalisation but a transformer's first").min(0),
      Key::number("freq_shift", "0.0",
                  "of the time's sinusoids, channels[0] / 2 of each: their frequencies are 10000^(-i / (channels[0] / 2 - "
                  "freq_shift))")
          .min(0),
      Key::boolean("flip_sin_to_cos", "true", "cosines of the time first, then sines; false: sines first"),
      Key::integer("downsample_padding", "1",
                   "zeros around an image before it is halved; 0: below and on the right alone, as in DDPM")
          .min(0)
          .max(1),
      Key::boolean("add_attention", "true", "attention between the two residual blocks in the middle"),
      Key::boolean("scale_shift_norm", "false",
                   "the time scales and shifts each residual block's second normalisation (2105.05233, section 3), "
                   "instead of being added before it")
          .alias("use_scale_shift_norm"),
      Key::number("dropout", "0.0",
                  "probability that training zeroes an element before a residual block's last convolution")
          .min(0)
          .below(1),
      Key::boolean("gradient_checkpointing", "false",
                   "training computes each block twice and keeps only its input: less memory, a third more time, the "
                   "same gradients")};
}

Settings::Settings(const perrin::Config& config)
    : channels(config.integers("channels")),
      layers(config.integer("layers_per_block")),
      groups(config.integer("groups")),
      heads(config.integer("heads")),
      head_channels(config.integer("head_channels")),
      downsample_padding(config.integer("downsample_padding")),
      norm_eps(config.number("norm_eps")),
      freq_shift(config.number("freq_shift")),
      cosines_first(config.boolean("flip_sin_to_cos")),
      mid_attention(config.boolean("add_attention")),
      linear_projection(config.boolean("linear_projection")),
      scale_shift_norm(config.boolean("scale_shift_norm")),
      gradient_checkpointing(config.boolean("gradient_checkpointing")),
      dropout(config.number("dropout")) {
  if (channels.empty()) throw invalid("channels is empty; a level needs a number");
  for (int64_t c : channels)
    if (c % groups != 0)
      throw invalid("groups = " + std::to_string(groups) + " does not divide channels = " + std::to_string(c) +
                    "; the largest that does is " + std::to_string(largest_divisor(c, groups)));
  if (channels[0] % 2 != 0) throw invalid("channels[0] must be even, half sines and half cosines of the time");
  if (freq_shift >= static_cast<double>(channels[0]) / 2)
    throw invalid("freq_shift must be less than half of channels[0] = " + std::to_string(channels[0]));
  if (heads != 0 && head_channels != 0)
    throw invalid("heads = " + std::to_string(heads) + " and head_channels = " + std::to_string(head_channels) +
                  " say the same thing twice; leave one out");
  if (heads == 0 && head_channels == 0) head_channels = kHeadChannels;
  read_attention(config.integers("attention"));
  read_depth(config.integers("transformer_depth"));
}

void Settings::read_attention(const std::vector<int64_t>& named) {
  attended.resize(channels.size());
  for (int64_t level : named) {
    if (level < -levels() || level >= levels())
      throw invalid("attention names level " + std::to_string(level) + "; channels has levels 0 to " +
                    std::to_string(levels() - 1));
    attended[static_cast<size_t>(level < 0 ? level + levels() : level)] = true;
  }
}

void Settings::read_depth(const std::vector<int64_t>& given) {
  depth = given.size() == 1 ? std::vector<int64_t>(channels.size(), given[0]) : given;
  if (depth.size() != channels.size())
    throw invalid("transformer_depth has " + std::to_string(given.size()) +
                  " entries; give one for all levels, or one for each of the " + std::to_string(levels()));
  if (given.size() == 1) return;
  for (size_t i = 0; i + 1 < depth.size(); ++i)
    if (depth[i] != 0 && !attended[i])
      throw invalid("transformer_depth gives level " + std::to_string(i) + " " + std::to_string(depth[i]) +
                    " blocks, and attention does not name that level; name it there, or give 0");
}

at::Tensor Settings::sinusoids(const at::Tensor& c_noise) const {
  const at::Tensor e = perrin::timestep_embedding(c_noise, channels[0], freq_shift);
  return cosines_first ? e : e.roll(channels[0] / 2, 1);
}

int64_t Settings::heads_of(const std::string& name, int64_t block_channels) const {
  const std::string what = name + ": " + std::to_string(block_channels) + " channels do not divide into ";
  if (heads != 0) {
    if (block_channels % heads == 0) return heads;
    throw invalid(what + std::to_string(heads) + " heads; choose another number of heads");
  }
  const int64_t size = std::min(block_channels, head_channels);
  if (block_channels % size == 0) return block_channels / size;
  throw invalid(what + "heads of " + std::to_string(size) + "; choose another head_channels");
}

}  // namespace unet
