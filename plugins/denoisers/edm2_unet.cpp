// The magnitude-preserving U-Net of EDM2 (2312.02696, figure 21, config G).
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <perrin/cpp/checkpoint.hpp>
#include <perrin/cpp/denoiser.hpp>

#include "edm2_block.hpp"
#include "shapes.hpp"

namespace {

using edm2::Resample;
using edm2::Side;
using perrin::Failure;
using perrin::Key;

constexpr double skip_balance = 0.5, condition_balance = 0.5;  // t of mp_cat and mp_sum

class Edm2UNet {
 public:
  static constexpr std::string_view id = "edm2-unet", version = "0.1.0";
  static constexpr std::string_view doc =
      "Magnitude-preserving U-Net of EDM2 (2312.02696, config G): weights normalised in use, cosine attention, no "
      "group "
      "normalisation, no biases; takes vector and concat conditions. Made for the edm parameterization.";
  static std::vector<Key> keys() {
    return {Key::integers("channels", "[32, 64]", "channels at each level; each level halves height and width").min(2),
            Key::integer("layers_per_block", "3", "residual blocks per level going down; one more going up").min(1),
            Key::integers("attention", "[-1]", "levels with self-attention, 0 the finest, -1 the coarsest"),
            Key::integer("head_channels", "32",
                         "channels of an attention head, or all of a narrower level; the paper has 64")
                .min(1),
            Key::string("time", "\"fourier\"",
                        "features of the time: random Fourier ones, for the edm parameterization's ln(sigma) / 4, or "
                        "positional sinusoids, for timesteps up to 1000")
                .choices({"fourier", "positional"}),
            Key::number("dropout", "0.0",
                        "probability that training zeroes an element before a residual block's last convolution; the "
                        "authors have 0.1 from size M on")
                .min(0)
                .below(1),
            Key::boolean("gradient_checkpointing", "false",
                         "training computes each block twice and keeps only its input: less memory, a third more "
                         "time, the same gradients")};
  }
  static void validate(const perrin::Config& config) { Edm2UNet{config}; }

  explicit Edm2UNet(const perrin::Config& config)
      : channels_(config.integers("channels")),
        layers_(config.integer("layers_per_block")),
        head_channels_(config.integer("head_channels")),
        features_(config.string("time") == "fourier" ? Features::Kind::fourier : Features::Kind::positional),
        dropout_(config.number("dropout")),
        checkpointing_(config.boolean("gradient_checkpointing")) {
    if (channels_.empty()) throw Failure(PERRIN_INVALID_CONFIG, "channels is empty; a level needs a number");
    if (channels_[0] % 2 != 0)
      throw Failure(PERRIN_INVALID_CONFIG, "channels[0] must be even, half sines and half cosines of the time; it is " +
                                               std::to_string(channels_[0]));
    attended_.resize(channels_.size());
    for (int64_t level : config.integers("attention")) attended_[index(level)] = true;
  }

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    const auto n = static_cast<int64_t>(channels_.size());
    shapes::require_image(id, x, int64_t{1} << (n - 1), "a U-Net of " + std::to_string(n) + " levels needs",
                          "fewer entries in channels");
    refuse_sequence(x, conditioning);
    const int64_t in = x.sizes[0] + shapes::concat_channels(x, conditioning);
    const int64_t width = *std::max_element(channels_.begin(), channels_.end());
    time_.emplace(p_, "emb_fourier", features_, channels_[0]);
    emb_time_.emplace(p_, "emb_noise", channels_[0], width);
    if (const int64_t vector = shapes::vector_width(x, conditioning))
      emb_vector_.emplace(p_, "emb_label", vector, width);
    conv_in_.emplace(p_, "enc.0.conv", in + 1, channels_[0], 3);
    std::vector<int64_t> skips{channels_[0]};
    edm2::Plan plan{p_, width, head_channels_, dropout_};
    for (int64_t i = 0; i < n; ++i) encoder_level(plan, i, skips);
    for (int64_t i = n - 1; i >= 0; --i) decoder_level(plan, i, skips);
    conv_out_.emplace(p_, "out_conv", channels_[0], x.sizes[0], 3);
    gain_ = &edm2::gain(p_, "out_gain");
    return x;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C, H, W].
  at::Tensor forward(const perrin_call& call, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    const auto e = embed(c_noise, x.scalar_type(), conditioning.vector);
    const auto draws = dropout_ > 0 ? perrin::Draws::in_training(call) : nullptr;
    // A channel of ones stands for the missing biases.
    std::vector<at::Tensor> channels{x, at::ones({x.size(0), 1, x.size(2), x.size(3)}, x.options())};
    if (conditioning.concat.defined()) channels.insert(channels.begin() + 1, conditioning.concat);
    const auto input = at::cat(channels, 1).contiguous(at::MemoryFormat::ChannelsLast);
    std::vector<at::Tensor> skips{(*conv_in_)(input)};
    for (const edm2::Block& block : encoder_) skips.push_back(run(block, skips.back(), e, draws));
    auto h = skips.back();
    for (const Step& step : decoder_) {
      if (step.takes_skip) {
        h = edm2::mp_cat(h, skips.back(), skip_balance);
        skips.pop_back();
      }
      h = run(step.block, h, e, draws);
    }
    return (*conv_out_)(h, *gain_);
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  using Features = edm2::TimeFeatures;
  struct Step {
    edm2::Block block;
    bool takes_skip;
  };

  using Draws = std::shared_ptr<const perrin::Draws>;
  at::Tensor run(const edm2::Block& block, const at::Tensor& x, const at::Tensor& e, const Draws& draws) const {
    const auto part = [&block, draws](const std::vector<at::Tensor>& in) { return block(in[0], in[1], draws.get()); };
    return checkpointing_ ? perrin::checkpoint(part, {x, e}) : part({x, e});
  }

  size_t index(int64_t level) const {
    const auto n = static_cast<int64_t>(channels_.size());
    if (level >= -n && level < n) return static_cast<size_t>(level < 0 ? level + n : level);
    throw Failure(PERRIN_INVALID_CONFIG, "attention names level " + std::to_string(level) +
                                             "; channels has levels 0 to " + std::to_string(n - 1));
  }

  static void refuse_sequence(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    if (!has_slot(conditioning, PERRIN_SLOT_SEQUENCE)) return;
    throw Failure(PERRIN_INVALID_CONFIG,
                  "the conditioner gives a sequence of shape " + shapes::text(conditioning->sequence) +
                      " beside an input of " + shapes::text(x) +
                      ", and edm2-unet attends to none: choose a conditioner that gives a vector, or one of the "
                      "denoisers unet, dit and uvit");
  }

  // `skips`: channels of every tensor that the decoder will be given, oldest first.
  void encoder_level(edm2::Plan& plan, int64_t i, std::vector<int64_t>& skips) {
    const std::string name = "enc." + std::to_string(i) + ".";
    const auto add = [&](const std::string& part, const edm2::Block::Shape& shape) {
      encoder_.emplace_back(plan, name + part, shape);
      skips.push_back(shape.out);
    };
    if (i > 0) add("down", {skips.back(), skips.back(), Side::encoder, Resample::down});
    for (int64_t j = 0; j < layers_; ++j)
      add("block" + std::to_string(j), {skips.back(), channels_[i], Side::encoder, Resample::keep, attended_[i]});
  }

  void decoder_level(edm2::Plan& plan, int64_t i, std::vector<int64_t>& skips) {
    const std::string name = "dec." + std::to_string(i) + ".";
    const auto last = static_cast<int64_t>(channels_.size()) - 1;
    const int64_t out = channels_[i], below = channels_[std::min(i + 1, last)];
    const auto add = [&](const std::string& part, const edm2::Block::Shape& shape, bool takes_skip) {
      decoder_.push_back({edm2::Block(plan, name + part, shape), takes_skip});
    };
    if (i == last) {
      add("in0", {out, out, Side::decoder, Resample::keep, true}, false);
      add("in1", {out, out, Side::decoder}, false);
    } else {
      add("up", {below, below, Side::decoder, Resample::up}, false);
    }
    for (int64_t j = 0; j <= layers_; ++j) {
      const int64_t in = (j > 0 ? out : below) + skips.back();
      skips.pop_back();
      add("block" + std::to_string(j), {in, out, Side::decoder, Resample::keep, attended_[i]}, true);
    }
  }

  // The embedding of time and vector condition, the vector first brought to magnitude 1: [B, width].
  at::Tensor embed(const at::Tensor& c_noise, at::ScalarType dtype, const at::Tensor& vector) const {
    auto e = (*emb_time_)((*time_)(c_noise).to(dtype));
    if (emb_vector_) e = edm2::mp_sum(e, (*emb_vector_)(edm2::unit(vector)), condition_balance);
    return edm2::mp_silu(e);
  }

  std::vector<int64_t> channels_;
  int64_t layers_, head_channels_;
  Features::Kind features_;
  double dropout_;
  bool checkpointing_;
  std::vector<bool> attended_;  // per level
  perrin::Parameters p_;
  std::optional<Features> time_;
  std::optional<edm2::MpLinear> emb_time_, emb_vector_;
  std::optional<edm2::MpConv> conv_in_, conv_out_;
  const at::Tensor* gain_ = nullptr;
  std::vector<edm2::Block> encoder_;
  std::vector<Step> decoder_;
};
PERRIN_DENOISER(Edm2UNet);

}  // namespace
