// The keys that every U-Net has, and what its blocks need to know of them.
#pragma once

#include <perrin/cpp/checkpoint.hpp>
#include <perrin/cpp/layers.hpp>

namespace unet {

std::vector<perrin::Key> keys();

struct Settings {
  // Failure(PERRIN_INVALID_CONFIG) for values that do not fit together.
  explicit Settings(const perrin::Config& config);

  int64_t levels() const { return static_cast<int64_t>(channels.size()); }
  // The time before its layers: [B] -> [B, channels[0]].
  at::Tensor sinusoids(const at::Tensor& c_noise) const;
  // Attention heads of the block `name`; Failure(PERRIN_INVALID_CONFIG) if they do not divide its channels.
  int64_t heads_of(const std::string& name, int64_t block_channels) const;

  std::vector<int64_t> channels;  // per level, the finest first
  int64_t layers, groups;
  int64_t heads, head_channels;  // one of them is 0
  int64_t downsample_padding;
  double norm_eps, freq_shift;
  bool cosines_first, mid_attention;
  std::vector<bool> attended;    // per level
  std::vector<int64_t> depth;    // per level: transformer blocks, 0 for plain attention; the last is the middle's too
  bool linear_projection, scale_shift_norm, gradient_checkpointing;
  double dropout;

 private:
  void read_attention(const std::vector<int64_t>& named);
  void read_depth(const std::vector<int64_t>& given);
};

// What a block is built from.
struct Plan {
  perrin::Parameters& p;
  const Settings& settings;
  int64_t time_width;
  int64_t sequence_width;  // of the sequence condition; 0: none
  uint64_t dropouts = 0;   // so far
};

// What every block of one forward call is told beside the image.
struct Context {
  at::Tensor time;                             // silu of the embedding, [B, time_width]
  at::Tensor sequence;                         // [B, length, sequence_width], or undefined
  std::shared_ptr<const perrin::Draws> draws;  // null outside training
  bool checkpoint;

  // part(inputs), computed again for the gradient if checkpointing is on.
  template <class Part>
  at::Tensor run(const Part& part, const std::vector<at::Tensor>& inputs) const {
    return checkpoint ? perrin::checkpoint(part, inputs) : part(inputs);
  }
};

// [B, C, H, W] <-> [B, H W, C]; no copy where the image is channels-last.
inline at::Tensor tokens(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).flatten(1, 2); }
inline at::Tensor image(const at::Tensor& t, const at::Tensor& like) {
  return t.unflatten(1, {like.size(2), like.size(3)}).permute({0, 3, 1, 2});
}

}  // namespace unet
