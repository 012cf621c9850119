// The classifier of noisy images that guides sampling: the U-Net's way down and its middle, then the mean over the
// pixels and a linear layer (2105.05233, section 4; of the poolings in its code, "adaptive").
#include <ATen/ops/silu.h>

#include <perrin/cpp/denoiser.hpp>

#include "shapes.hpp"
#include "unet_blocks.hpp"

namespace {

using perrin::Failure;
using perrin::Key;
using Then = perrin::GroupNorm::Then;

class UNetClassifier {
 public:
  static constexpr std::string_view id = "unet-classifier";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "A classifier of noisy images, for the guidance `classifier` (2105.05233, section 4): the downward half of unet "
      "and "
      "a linear layer. Train it with the loss cross-entropy alone and without conditioner; it makes no samples itself.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = unet::keys();
    keys.insert(keys.begin(), Key::integer("classes", nullptr, "classes of the dataset's label").min(2));
    return keys;
  }
  static void validate(const perrin::Config& config) { unet::Settings{config}; }

  explicit UNetClassifier(const perrin::Config& config) : s_(config), classes_(config.integer("classes")) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    if (conditioning && conditioning->slots != 0)
      throw Failure(PERRIN_INVALID_CONFIG,
                    "a classifier that is shown a condition could read the class there: remove [conditioner]");
    shapes::require_image(id, x, int64_t{1} << (s_.channels.size() - 1),
                          std::to_string(s_.channels.size()) + " levels need", "fewer entries in channels");
    const int64_t width = 4 * s_.channels[0], c = s_.channels.back();
    conv_in_.emplace(p_, "conv_in", x.sizes[0], s_.channels[0]);
    time_1_.emplace(p_, "time_embedding.linear_1", s_.channels[0], width);
    time_2_.emplace(p_, "time_embedding.linear_2", width, width);
    build({p_, s_, width, 0});
    norm_out_.emplace(p_, "conv_norm_out", s_.groups, c, Then::silu, s_.norm_eps);
    linear_.emplace(p_, "classifier", c, classes_);
    return {{}, x.dtype, 1, {classes_}};
  }

  // x: [B, C, H, W], c_noise: [B] -> logits [B, classes].
  at::Tensor forward(const perrin_call& call, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning&) const {
    const unet::Context context{embed(c_noise, x.scalar_type()),
                                {},
                                s_.dropout > 0 ? perrin::Draws::in_training(call) : nullptr,
                                s_.gradient_checkpointing};
    auto h = (*conv_in_)(x).contiguous(at::MemoryFormat::ChannelsLast);
    for (const unet::Level& level : down_) h = descend(level, h, context);
    h = middle_[0](h, context);
    h = middle_[1](attention_ ? unet::attend(*attention_, h, context) : h, context);
    return (*linear_)((*norm_out_)(h).mean({2, 3}));
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  void build(unet::Plan plan) {
    int64_t in = s_.channels[0];
    for (int64_t i = 0; i < s_.levels(); ++i) {
      const std::string name = "down_blocks." + std::to_string(i);
      const int64_t c = s_.channels[i];
      unet::Level& level = down_.emplace_back();
      for (int64_t j = 0; j < s_.layers; ++j, in = c) {
        const std::string n = std::to_string(j);
        level.resnets.emplace_back(plan, name + ".resnets." + n, in, c);
        if (s_.attended[i])
          level.attentions.push_back(unet::attending(plan, name + ".attentions." + n, c, s_.depth[i]));
      }
      if (i + 1 < s_.levels()) level.down.emplace(plan, name + ".downsamplers.0.conv", c);
    }
    for (const char* name : {"mid_block.resnets.0", "mid_block.resnets.1"}) middle_.emplace_back(plan, name, in, in);
    if (s_.mid_attention) attention_.emplace(unet::attending(plan, "mid_block.attentions.0", in, s_.depth.back()));
  }

  // silu of the time's embedding: [B, 4 channels[0]].
  at::Tensor embed(const at::Tensor& c_noise, at::ScalarType dtype) const {
    const auto angles = s_.sinusoids(c_noise).to(dtype);
    return at::silu((*time_2_)(at::silu((*time_1_)(angles))));
  }

  static at::Tensor descend(const unet::Level& level, at::Tensor h, const unet::Context& context) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = level.resnets[j](h, context);
      if (!level.attentions.empty()) h = unet::attend(level.attentions[j], h, context);
    }
    return level.down ? (*level.down)(h) : h;
  }

  unet::Settings s_;
  int64_t classes_;
  perrin::Parameters p_;
  std::optional<perrin::Conv2d> conv_in_;
  std::optional<perrin::Linear> time_1_, time_2_, linear_;
  std::optional<perrin::GroupNorm> norm_out_;
  std::vector<unet::Level> down_;
  std::vector<unet::ResBlock> middle_;
  std::optional<unet::Attending> attention_;
};
PERRIN_DENOISER(UNetClassifier);

}  // namespace
