// An autoencoder that grows resolution by resolution (1710.10196, section 2; 1807.03026, section 3, for an encoder and
// a decoder that grow together): the network of `autoencoder`, of which first only the coarsest level takes part.
#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <perrin/cpp/encoder.hpp>

#include "growth.hpp"
#include "network.hpp"
#include "tiling.hpp"

namespace {

using first_stage::Context;
using first_stage::Growth;
using perrin::Conv2d;
using perrin::Failure;
using perrin::Key;

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

// [B, C, H, W] by a factor 2^level, as 1710.10196 halves and doubles: means, and pixels repeated.
at::Tensor reduced(const at::Tensor& x, int64_t level) {
  return level == 0 ? x : channels_last(at::avg_pool2d(x, {int64_t{1} << level, int64_t{1} << level}));
}
at::Tensor enlarged(const at::Tensor& x, int64_t level) {
  return level == 0 ? x : at::upsample_nearest2d(x, {x.size(2) << level, x.size(3) << level});
}

class Progressive {
 public:
  static constexpr std::string_view id = "progressive";
  static constexpr std::string_view version = "0.3.0";
  static constexpr std::string_view doc =
      "Deterministic autoencoder for images that grows resolution by resolution (1710.10196, 1807.03026) to the "
      "network "
      "of `autoencoder`; the latent keeps its shape. Before it is grown its images are coarse pixels, repeated.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = first_stage::keys();
    keys.push_back(
        Key::integer("grow_every", "2000", "training at each resolution, its fading in included").min(1).unit("steps"));
    keys.push_back(Key::integer("fade", "1000", "over which a new resolution fades in").min(0).unit("steps"));
    return keys;
  }
  static void validate(const perrin::Config& config);
  explicit Progressive(const perrin::Config& config)
      : s_(config), growth_{s_.levels(), config.integer("grow_every"), config.integer("fade")} {}

  perrin_spec infer(const perrin_spec& x);
  at::Tensor encode(const perrin_call& call, const at::Tensor& x) const;
  at::Tensor decode(const perrin_call& call, const at::Tensor& z) const;
  perrin::Parameters& parameters() { return p_; }

 private:
  void count(const perrin_call& call) const;
  Growth::State state() const { return growth_.after(static_cast<int64_t>(steps_->select(0, 0).item<double>())); }
  at::Tensor encoded(const at::Tensor& x, Context& context, int64_t level) const;
  at::Tensor decoded(const at::Tensor& z, Context& context, int64_t level) const;
  at::Tensor encoded(const perrin_call& call, const at::Tensor& x) const;
  at::Tensor decoded(const perrin_call& call, const at::Tensor& z) const;

  first_stage::Settings s_;
  Growth growth_;
  perrin::Parameters p_;
  std::optional<first_stage::EncoderNetwork> encoder_;
  std::optional<Conv2d> quant_, post_quant_;
  std::optional<first_stage::DecoderNetwork> decoder_;
  std::vector<Conv2d> from_image_, to_image_;  // of the levels from 1 on
  const at::Tensor* steps_ = nullptr;          // [2]: steps of training so far, the number of the latest
};

void Progressive::validate(const perrin::Config& config) {
  const first_stage::Settings settings(config);
  if (settings.temporal > 0)
    throw Failure(PERRIN_INVALID_CONFIG, "progressive grows images, not clips: leave temporal out");
  if (!settings.quant_conv)
    throw Failure(PERRIN_INVALID_CONFIG, "progressive has the convolutions around the latent: leave quant_conv out");
  if (!settings.weights.empty())
    throw Failure(PERRIN_INVALID_CONFIG,
                  "progressive starts from its coarsest level: for given weights use autoencoder");
  if (config.integer("fade") > config.integer("grow_every"))
    throw Failure(PERRIN_INVALID_CONFIG,
                  "fade = " + std::to_string(config.integer("fade")) + " is longer than grow_every = " +
                      std::to_string(config.integer("grow_every")) + ", the time between two resolutions");
}

perrin_spec Progressive::infer(const perrin_spec& x) {
  const int64_t factor = s_.factor();
  if (x.rank != 3 || x.sizes[1] % factor != 0 || x.sizes[2] % factor != 0)
    throw Failure(PERRIN_INVALID_CONFIG, "progressive needs images [C, H, W], H and W multiples of " +
                                             std::to_string(factor) + "; the data is " +
                                             c10::str(at::IntArrayRef(x.sizes, x.rank)));
  const int64_t C = x.sizes[0], latent = s_.latent_channels;
  first_stage::Plan plan{p_, s_};
  encoder_.emplace(plan, "encoder", C, latent, x.sizes[1]);
  quant_.emplace(p_, "quant_conv", latent, latent, 1);
  post_quant_.emplace(p_, "post_quant_conv", latent, latent, 1);
  decoder_.emplace(plan, "decoder", latent, C, x.sizes[1]);
  for (int64_t level = 1; level < s_.levels(); ++level) {
    const std::string number = std::to_string(level);
    const size_t above = static_cast<size_t>(std::min(level + 1, s_.levels() - 1));
    from_image_.emplace_back(p_, "encoder.from_image." + number, C, s_.channels[static_cast<size_t>(level - 1)], 1);
    to_image_.emplace_back(p_, "decoder.to_image." + number, s_.channels[above], C, 1);
  }
  perrin::Parameters::Options buffer;
  buffer.role = PERRIN_BUFFER;
  steps_ = &p_.add("steps", {2}, perrin::Init::zeros(), buffer);
  return {x.name, x.dtype, 3, {latent, x.sizes[1] / factor, x.sizes[2] / factor}};
}

// One step has several batches if gradients are accumulated.
void Progressive::count(const perrin_call& call) const {
  if (!call.training || steps_->select(0, 1).item<double>() == call.step) return;
  steps_->select(0, 0).add_(1);
  steps_->select(0, 1).fill_(static_cast<double>(call.step));
}

// x: [B, C, H, W] -> [B, latent, h, w], by the network whose finest level is `level`, from x at that level's size.
at::Tensor Progressive::encoded(const at::Tensor& x, Context& context, int64_t level) const {
  const at::Tensor small = reduced(x, level);
  const at::Tensor h =
      level == 0 ? encoder_->enter(small) : channels_last(from_image_[static_cast<size_t>(level - 1)](small));
  return (*quant_)(encoder_->leave(encoder_->descend(h, context, static_cast<size_t>(level)), context));
}

// z: [B, latent, h, w] -> [B, C, H, W].
at::Tensor Progressive::decoded(const at::Tensor& z, Context& context, int64_t level) const {
  const at::Tensor h = decoder_->enter((*post_quant_)(z), context);
  if (level == 0) return decoder_->leave(decoder_->ascend(h, context));
  const at::Tensor coarse = decoder_->ascend(h, context, static_cast<size_t>(level + 1));
  return enlarged(to_image_[static_cast<size_t>(level - 1)](coarse), level);
}

// While a level fades in: old + alpha (new - old). 1710.10196 mixes where the two paths of an encoder meet, one level
// further in; here they are mixed at its end, and the coarser path is computed by itself.
template <class Path>
at::Tensor faded(const Growth::State& state, const Path& path) {
  if (state.alpha >= 1) return path(state.level);
  const at::Tensor old = path(state.level + 1);
  return old + (path(state.level) - old) * state.alpha;
}

at::Tensor Progressive::encoded(const perrin_call& call, const at::Tensor& x) const {
  Context context{perrin::Draws::in_training(call), s_.gradient_checkpointing};
  return faded(state(), [&](int64_t level) { return encoded(x, context, level); });
}

at::Tensor Progressive::decoded(const perrin_call& call, const at::Tensor& z) const {
  Context context{perrin::Draws::in_training(call), s_.gradient_checkpointing};
  return faded(state(), [&](int64_t level) { return decoded(z, context, level); });
}

at::Tensor Progressive::encode(const perrin_call& call, const at::Tensor& x) const {
  count(call);
  if (call.training) return encoded(call, x);
  const first_stage::Tiles tiles{s_.tile, 1, s_.factor()};
  return first_stage::sliced(x, s_.slice, [&](const at::Tensor& some) {
    return first_stage::tiled(some, tiles, [&](const at::Tensor& tile) { return encoded(call, tile); });
  });
}

at::Tensor Progressive::decode(const perrin_call& call, const at::Tensor& z) const {
  if (call.training) return decoded(call, z);
  const first_stage::Tiles tiles{s_.tile / s_.factor(), s_.factor(), 1};
  return first_stage::sliced(z, s_.slice, [&](const at::Tensor& some) {
    return first_stage::tiled(some, tiles, [&](const at::Tensor& tile) { return decoded(call, tile); });
  });
}
PERRIN_ENCODER(Progressive);

}  // namespace
