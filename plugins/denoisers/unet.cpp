// The U-Net of DDPM (2006.11239, appendix B) with attention at chosen levels and conditioning by vector, sequence and
// extra channels. At equal settings it is diffusers' UNet2DModel: DownBlock2D, AttnDownBlock2D, UNetMidBlock2D and
// their mirror images, resnet_time_scale_shift "default", norm_eps 1e-5, downsample_padding 1.
#include <ATen/ops/silu.h>

#include <algorithm>
#include <perrin/cpp/denoiser.hpp>

#include "condition_slots.hpp"
#include "unet_blocks.hpp"

namespace {

using perrin::Conv2d;
using perrin::Failure;
using perrin::Key;
using perrin::Linear;
using Then = perrin::GroupNorm::Then;

std::string shape(const perrin_spec& x) {
  std::string s = "[";
  for (uint32_t i = 0; i < x.rank; ++i) s += (i ? ", " : "") + std::to_string(x.sizes[i]);
  return s + "]";
}

class UNet {
 public:
  static constexpr std::string_view id = "unet";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Convolutional U-Net of DDPM (2006.11239, appendix B), laid out as diffusers' UNet2DModel; takes vector, "
      "sequence and "
      "concat conditions.";
  static std::vector<Key> keys() {
    return {Key::integers("channels", "[32, 64]", "channels at each level; each level halves height and width").min(1),
            Key::integer("layers_per_block", "2", "residual blocks per level going down; one more going up").min(1),
            Key::integers("attention", "[-1]", "levels with self-attention, 0 the finest, -1 the coarsest"),
            Key::integer("head_channels", "32",
                         "channels of an attention head, or all of a narrower level; 8 costs four times as much as 32")
                .min(1)
                .alias("attention_head_dim"),
            Key::integer("groups", "32", "groups of each group normalisation; divides every entry of channels")
                .min(1)
                .alias("norm_num_groups")};
  }
  static void validate(const perrin::Config& config) { UNet{config}; }

  explicit UNet(const perrin::Config& config)
      : channels_(config.integers("channels")),
        layers_(config.integer("layers_per_block")),
        head_channels_(config.integer("head_channels")),
        groups_(config.integer("groups")) {
    if (channels_.empty()) throw Failure(PERRIN_INVALID_CONFIG, "channels is empty; a level needs a number");
    for (int64_t c : channels_)
      if (c % groups_ != 0)
        throw Failure(PERRIN_INVALID_CONFIG,
                      "groups = " + std::to_string(groups_) + " does not divide channels = " + std::to_string(c) +
                          "; the largest that does is " + std::to_string(largest_divisor(c, groups_)));
    if (channels_[0] % 2 != 0)
      throw Failure(PERRIN_INVALID_CONFIG, "channels[0] must be even, half sines and half cosines of the time");
    attended_.resize(channels_.size());
    for (int64_t level : config.integers("attention")) attended_[index(level)] = true;
  }

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    check_shape(x);
    int64_t in = x.sizes[0];
    if (has_slot(conditioning, PERRIN_SLOT_CONCAT)) in += concat_channels(x, conditioning->concat);
    const int64_t width = 4 * channels_[0];
    conv_in_.emplace(p_, "conv_in", in, channels_[0]);
    time_1_.emplace(p_, "time_embedding.linear_1", channels_[0], width);
    time_2_.emplace(p_, "time_embedding.linear_2", width, width);
    if (has_slot(conditioning, PERRIN_SLOT_VECTOR))
      condition_.emplace(p_, "condition", conditioning->vector.sizes[0], width);
    const int64_t sequence = has_slot(conditioning, PERRIN_SLOT_SEQUENCE) ? conditioning->sequence.sizes[1] : 0;
    build({p_, groups_, head_channels_, width, sequence});
    norm_out_.emplace(p_, "conv_norm_out", groups_, channels_[0], Then::silu);
    conv_out_.emplace(p_, "conv_out", channels_[0], x.sizes[0]);
    return x;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C, H, W].
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    const at::Tensor time = embed(c_noise, x.scalar_type(), conditioning.vector);
    const at::Tensor& sequence = conditioning.sequence;
    const auto input = conditioning.concat.defined() ? at::cat(at::TensorList{x, conditioning.concat}, 1) : x;
    // An image of one channel does not say which memory order it has.
    std::vector<at::Tensor> skips{(*conv_in_)(input).contiguous(at::MemoryFormat::ChannelsLast)};
    for (const unet::Level& level : down_) descend(level, skips, time, sequence);
    auto h = mid_->resnets[0](skips.back(), time);
    h = mid_->resnets[1](mid_->attentions[0](h, sequence), time);
    for (const unet::Level& level : up_) h = ascend(level, h, skips, time, sequence);
    return (*conv_out_)((*norm_out_)(h));
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  static int64_t largest_divisor(int64_t of, int64_t at_most) {
    int64_t d = std::min(of, at_most);
    while (of % d != 0) --d;
    return d;
  }

  size_t index(int64_t level) const {
    const auto n = static_cast<int64_t>(channels_.size());
    if (level >= -n && level < n) return static_cast<size_t>(level < 0 ? level + n : level);
    throw Failure(PERRIN_INVALID_CONFIG, "attention names level " + std::to_string(level) +
                                             "; channels has levels 0 to " + std::to_string(n - 1));
  }

  void check_shape(const perrin_spec& x) const {
    if (x.rank != 3)
      throw Failure(PERRIN_INVALID_CONFIG,
                    "unet needs images [C, H, W]; the input is " + shape(x) + ". For vectors use mlp");
    const int64_t step = int64_t{1} << (channels_.size() - 1);
    if (x.sizes[1] % step == 0 && x.sizes[2] % step == 0) return;
    const auto up = [step](int64_t n) { return (n + step - 1) / step * step; };
    const perrin_spec padded = {{}, x.dtype, 3, {x.sizes[0], up(x.sizes[1]), up(x.sizes[2])}};
    throw Failure(PERRIN_INVALID_CONFIG, "the input is " + shape(x) + ", and " + std::to_string(channels_.size()) +
                                             " levels need height and width divisible by " + std::to_string(step) +
                                             ": give images of shape " + shape(padded) +
                                             ", or fewer entries in channels");
  }

  static int64_t concat_channels(const perrin_spec& x, const perrin_spec& concat) {
    if (concat.rank == 3 && concat.sizes[1] == x.sizes[1] && concat.sizes[2] == x.sizes[2]) return concat.sizes[0];
    throw Failure(PERRIN_INVALID_CONFIG, "the concat condition has shape " + shape(concat) + "; beside an input of " +
                                             shape(x) + " it needs the same height and width");
  }

  void build(const unet::Plan& plan) {
    const int64_t n = static_cast<int64_t>(channels_.size());
    std::vector<int64_t> skips{channels_[0]};
    for (int64_t i = 0; i < n; ++i) down_.push_back(down_level(plan, i, skips));
    mid_.emplace();
    for (const char* name : {"mid_block.resnets.0", "mid_block.resnets.1"})
      mid_->resnets.emplace_back(plan, name, channels_.back(), channels_.back());
    mid_->attentions.emplace_back(plan, "mid_block.attentions.0", channels_.back());
    for (int64_t i = n - 1; i >= 0; --i) up_.push_back(up_level(plan, i, skips));
  }

  // `skips`: channels of every tensor that the way up will be given, oldest first.
  unet::Level down_level(const unet::Plan& plan, int64_t i, std::vector<int64_t>& skips) const {
    const std::string name = "down_blocks." + std::to_string(i);
    unet::Level level;
    for (int64_t j = 0; j < layers_; ++j) {
      const std::string n = std::to_string(j);
      level.resnets.emplace_back(plan, name + ".resnets." + n, skips.back(), channels_[i]);
      if (attended_[i]) level.attentions.emplace_back(plan, name + ".attentions." + n, channels_[i]);
      skips.push_back(channels_[i]);
    }
    if (i + 1 == static_cast<int64_t>(channels_.size())) return level;
    level.resample.emplace(plan.p, name + ".downsamplers.0.conv", channels_[i], channels_[i], 3, 2);
    skips.push_back(channels_[i]);
    return level;
  }

  unet::Level up_level(const unet::Plan& plan, int64_t i, std::vector<int64_t>& skips) const {
    const int64_t last = static_cast<int64_t>(channels_.size()) - 1;
    const std::string name = "up_blocks." + std::to_string(last - i);
    unet::Level level;
    for (int64_t j = 0; j <= layers_; ++j) {
      const int64_t below = j > 0 ? channels_[i] : channels_[std::min(i + 1, last)];
      const std::string n = std::to_string(j);
      level.resnets.emplace_back(plan, name + ".resnets." + n, below + skips.back(), channels_[i]);
      if (attended_[i]) level.attentions.emplace_back(plan, name + ".attentions." + n, channels_[i]);
      skips.pop_back();
    }
    if (i > 0) level.resample.emplace(plan.p, name + ".upsamplers.0.conv", channels_[i], channels_[i]);
    return level;
  }

  // silu of the embedding of time and vector condition: [B, 4 channels[0]].
  at::Tensor embed(const at::Tensor& c_noise, at::ScalarType dtype, const at::Tensor& vector) const {
    const auto angles = perrin::timestep_embedding(c_noise, channels_[0]).to(dtype);
    auto e = (*time_2_)(at::silu((*time_1_)(angles)));
    if (condition_) e = e.add((*condition_)(vector));
    return at::silu(e);
  }

  static void descend(const unet::Level& level, std::vector<at::Tensor>& skips, const at::Tensor& time,
                      const at::Tensor& sequence) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      auto h = level.resnets[j](skips.back(), time);
      skips.push_back(level.attentions.empty() ? h : level.attentions[j](h, sequence));
    }
    if (level.resample) skips.push_back((*level.resample)(skips.back()));
  }

  static at::Tensor ascend(const unet::Level& level, at::Tensor h, std::vector<at::Tensor>& skips,
                           const at::Tensor& time, const at::Tensor& sequence) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = level.resnets[j](at::cat(at::TensorList{h, skips.back()}, 1), time);
      skips.pop_back();
      if (!level.attentions.empty()) h = level.attentions[j](h, sequence);
    }
    return level.resample ? (*level.resample)(unet::doubled(h)) : h;
  }

  std::vector<int64_t> channels_;
  int64_t layers_, head_channels_, groups_;
  std::vector<bool> attended_;  // per level
  perrin::Parameters p_;
  std::optional<Conv2d> conv_in_, conv_out_;
  std::optional<Linear> time_1_, time_2_, condition_;
  std::optional<perrin::GroupNorm> norm_out_;
  std::vector<unet::Level> down_, up_;
  std::optional<unet::Level> mid_;
};
PERRIN_DENOISER(UNet);

}  // namespace
