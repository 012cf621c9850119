// What every convolutional first stage shares: encoder, 1 x 1 convolutions on both sides of the latent, decoder, clips
// as images, large images in tiles, large batches in slices, weights from a file.
#pragma once

#include "network.hpp"

namespace first_stage {

class FirstStage {
 public:
  // `moments`: how many times latent_channels come out of the encoder, 2 for mean and log-variance.
  FirstStage(const perrin::Config& config, int64_t moments) : s_(config), moments_(moments) {}

  // Once: declares the parameters for x of shape [C, H, W] or [C, T, H, W] -> the latent's shape, [latent_channels,
  // H / factor, W / factor] or [latent_channels, T / time_factor, ...]. Failure(PERRIN_INVALID_CONFIG) for others.
  perrin_spec infer(std::string_view id, const perrin_spec& x);

  // x: [B, C, ...] -> [B, moments latent_channels, ...]. `training`: with the call's dropout, in one piece.
  at::Tensor encode(const perrin_call& call, const at::Tensor& x, bool training) const;
  // z: [B, latent_channels, ...] -> [B, C, ...]. In training as above.
  at::Tensor decode(const perrin_call& call, const at::Tensor& z) const;

  perrin::Parameters& parameters() { return p_; }
  static constexpr std::string_view last_layer = "decoder.conv_out.weight";

 private:
  void require(std::string_view id, const perrin_spec& x) const;
  at::Tensor encoded(const at::Tensor& x, std::shared_ptr<const perrin::Draws> draws) const;
  at::Tensor decoded(const at::Tensor& z, std::shared_ptr<const perrin::Draws> draws) const;

  Settings s_;
  int64_t moments_;
  perrin::Parameters p_;
  std::optional<EncoderNetwork> encoder_;
  std::optional<perrin::Conv2d> quant_, post_quant_;
  std::optional<DecoderNetwork> decoder_;
};

}  // namespace first_stage
