// The U-Net of DDPM (2006.11239, appendix B) grown by what came after: transformer blocks and conditioning by a
// sequence (2112.10752), by a vector and by extra channels, scale-shift normalisation and learnt variance (2102.09672,
// 2105.05233). At equal settings it is diffusers' UNet2DModel or UNet2DConditionModel: DownBlock2D, AttnDownBlock2D and
// CrossAttnDownBlock2D, their middle and their mirror images, and with its keys of the same names.
#include <ATen/ops/silu.h>

#include <algorithm>
#include <perrin/cpp/denoiser.hpp>

#include "shapes.hpp"
#include "unet_blocks.hpp"

namespace {

using perrin::Conv2d;
using perrin::Key;
using perrin::Linear;
using Then = perrin::GroupNorm::Then;

class UNet {
 public:
  static constexpr std::string_view id = "unet";
  static constexpr std::string_view version = "0.2.0";
  static constexpr std::string_view doc =
      "Convolutional U-Net with attention, from DDPM (2006.11239, appendix B) to Stable Diffusion (2112.10752), laid "
      "out "
      "as diffusers' UNet2DModel and UNet2DConditionModel; takes vector, sequence and concat conditions.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = unet::keys();
    keys.push_back(Key::boolean("learnt_variance", "false",
                                "twice the channels come out, the second half for the variance of a step (2102.09672, "
                                "equation 15), which the loss vlb trains")
                       .alias("learn_sigma"));
    return keys;
  }
  static void validate(const perrin::Config& config) { unet::Settings{config}; }

  explicit UNet(const perrin::Config& config) : s_(config), learnt_variance_(config.boolean("learnt_variance")) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    shapes::require_image(id, x, int64_t{1} << (s_.channels.size() - 1),
                          std::to_string(s_.channels.size()) + " levels need", "fewer entries in channels");
    const int64_t in = x.sizes[0] + shapes::concat_channels(x, conditioning);
    const int64_t width = 4 * s_.channels[0];
    conv_in_.emplace(p_, "conv_in", in, s_.channels[0]);
    time_1_.emplace(p_, "time_embedding.linear_1", s_.channels[0], width);
    time_2_.emplace(p_, "time_embedding.linear_2", width, width);
    if (has_slot(conditioning, PERRIN_SLOT_VECTOR))
      condition_.emplace(p_, "condition", conditioning->vector.sizes[0], width);
    const int64_t sequence = has_slot(conditioning, PERRIN_SLOT_SEQUENCE) ? conditioning->sequence.sizes[1] : 0;
    build({p_, s_, width, sequence});
    norm_out_.emplace(p_, "conv_norm_out", s_.groups, s_.channels[0], Then::silu, s_.norm_eps);
    perrin_spec prediction = x;
    if (learnt_variance_) prediction.sizes[0] *= 2;
    conv_out_.emplace(p_, "conv_out", s_.channels[0], prediction.sizes[0]);
    return prediction;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C, H, W], or [B, 2 C, H, W] with the variance.
  at::Tensor forward(const perrin_call& call, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    const unet::Context context{embed(c_noise, x.scalar_type(), conditioning.vector), conditioning.sequence,
                                s_.dropout > 0 ? perrin::Draws::in_training(call) : nullptr, s_.gradient_checkpointing};
    const auto input = conditioning.concat.defined() ? at::cat(at::TensorList{x, conditioning.concat}, 1) : x;
    // An image of one channel does not say which memory order it has.
    std::vector<at::Tensor> skips{(*conv_in_)(input).contiguous(at::MemoryFormat::ChannelsLast)};
    for (const unet::Level& level : down_) descend(level, skips, context);
    auto h = mid_->resnets[0](skips.back(), context);
    if (s_.mid_attention) h = unet::attend(mid_->attentions[0], h, context);
    h = mid_->resnets[1](h, context);
    for (const unet::Level& level : up_) h = ascend(level, h, skips, context);
    return (*conv_out_)((*norm_out_)(h));
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  void build(unet::Plan plan) {
    std::vector<int64_t> skips{s_.channels[0]};
    for (int64_t i = 0; i < s_.levels(); ++i) down_.push_back(down_level(plan, i, skips));
    mid_.emplace();
    const int64_t c = s_.channels.back();
    for (const char* name : {"mid_block.resnets.0", "mid_block.resnets.1"})
      mid_->resnets.emplace_back(plan, name, c, c);
    if (s_.mid_attention) mid_->attentions.push_back(unet::attending(plan, "mid_block.attentions.0", c, s_.depth.back()));
    for (int64_t i = s_.levels() - 1; i >= 0; --i) up_.push_back(up_level(plan, i, skips));
  }

  // One residual block, and attention where level i has it.
  void add_block(unet::Plan& plan, unet::Level& level, const std::string& name, int64_t i, int64_t in) const {
    const std::string n = std::to_string(level.resnets.size());
    const int64_t c = s_.channels[i];
    level.resnets.emplace_back(plan, name + ".resnets." + n, in, c);
    if (s_.attended[i]) level.attentions.push_back(unet::attending(plan, name + ".attentions." + n, c, s_.depth[i]));
  }

  // `skips`: channels of every tensor that the way up will be given, oldest first.
  unet::Level down_level(unet::Plan& plan, int64_t i, std::vector<int64_t>& skips) const {
    const std::string name = "down_blocks." + std::to_string(i);
    const int64_t c = s_.channels[i];
    unet::Level level;
    for (int64_t j = 0; j < s_.layers; ++j) {
      add_block(plan, level, name, i, skips.back());
      skips.push_back(c);
    }
    if (i + 1 == s_.levels()) return level;
    level.down.emplace(plan, name + ".downsamplers.0.conv", c);
    skips.push_back(c);
    return level;
  }

  unet::Level up_level(unet::Plan& plan, int64_t i, std::vector<int64_t>& skips) const {
    const int64_t last = s_.levels() - 1, c = s_.channels[i];
    const std::string name = "up_blocks." + std::to_string(last - i);
    unet::Level level;
    for (int64_t j = 0; j <= s_.layers; ++j) {
      const int64_t below = j > 0 ? c : s_.channels[std::min(i + 1, last)];
      add_block(plan, level, name, i, below + skips.back());
      skips.pop_back();
    }
    if (i > 0) level.up.emplace(plan.p, name + ".upsamplers.0.conv", c, c);
    return level;
  }

  // silu of the embedding of time and vector condition: [B, 4 channels[0]].
  at::Tensor embed(const at::Tensor& c_noise, at::ScalarType dtype, const at::Tensor& vector) const {
    const auto angles = s_.sinusoids(c_noise).to(dtype);
    auto e = (*time_2_)(at::silu((*time_1_)(angles)));
    if (condition_) e = e.add((*condition_)(vector));
    return at::silu(e);
  }

  static void descend(const unet::Level& level, std::vector<at::Tensor>& skips, const unet::Context& context) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      auto h = level.resnets[j](skips.back(), context);
      skips.push_back(level.attentions.empty() ? h : unet::attend(level.attentions[j], h, context));
    }
    if (level.down) skips.push_back((*level.down)(skips.back()));
  }

  static at::Tensor ascend(const unet::Level& level, at::Tensor h, std::vector<at::Tensor>& skips,
                           const unet::Context& context) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = level.resnets[j](at::cat(at::TensorList{h, skips.back()}, 1), context);
      skips.pop_back();
      if (!level.attentions.empty()) h = unet::attend(level.attentions[j], h, context);
    }
    return level.up ? (*level.up)(unet::doubled(h)) : h;
  }

  unet::Settings s_;
  bool learnt_variance_;
  perrin::Parameters p_;
  std::optional<Conv2d> conv_in_, conv_out_;
  std::optional<Linear> time_1_, time_2_, condition_;
  std::optional<perrin::GroupNorm> norm_out_;
  std::vector<unet::Level> down_, up_;
  std::optional<unet::Level> mid_;
};
PERRIN_DENOISER(UNet);

}  // namespace
