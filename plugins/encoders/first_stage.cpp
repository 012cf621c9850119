#include "first_stage.hpp"

#include <algorithm>

#include "layouts.hpp"
#include "tiling.hpp"

namespace first_stage {

using perrin::Failure;

namespace {

Failure invalid(const std::string& message) { return Failure(PERRIN_INVALID_CONFIG, message); }

// [B, C, T, H, W] -> [B T, C, H, W]; an image as it is.
at::Tensor frames(const at::Tensor& x) { return x.dim() == 5 ? x.transpose(1, 2).flatten(0, 1) : x; }

// Back, as many frames a sample as there are for `samples` samples.
at::Tensor clip(const at::Tensor& y, int64_t rank, int64_t samples) {
  return rank == 5 ? y.unflatten(0, {samples, -1}).transpose(1, 2) : y;
}

int64_t frames_of(const at::Tensor& x) { return x.dim() == 5 ? x.size(2) : 1; }

}  // namespace

void FirstStage::require(std::string_view id, const perrin_spec& x) const {
  const std::string shape = c10::str(at::IntArrayRef(x.sizes, x.rank));
  if (x.rank != 3 && x.rank != 4)
    throw invalid(std::string(id) + " needs images [C, H, W] or clips [C, T, H, W]; the data is " + shape);
  if (s_.temporal > 0 && x.rank != 4)
    throw invalid("temporal = " + std::to_string(s_.temporal) + " halves the time of clips [C, T, H, W]; the data is " +
                  shape + ": leave temporal out");
  for (uint32_t i = 1; i < x.rank; ++i) {
    const int64_t factor = x.rank == 4 && i == 1 ? s_.time_factor() : s_.factor();
    if (x.sizes[i] % factor != 0)
      throw invalid("the data is " + shape + ", and " + std::to_string(x.sizes[i]) + " is no multiple of " +
                    std::to_string(factor) +
                    ", by which it is divided: give data of another size, or fewer halvings (" +
                    (factor == s_.factor() ? "entries of channels" : "temporal") + ")");
  }
  for (const int64_t height : s_.attention) {
    std::string heights;
    bool found = false;
    for (int64_t i = 0; i < s_.levels(); ++i) {
      found |= x.sizes[x.rank - 2] >> i == height;
      heights += (i ? ", " : "") + std::to_string(x.sizes[x.rank - 2] >> i);
    }
    if (!found)
      throw invalid("attention names height " + std::to_string(height) + "; the levels are " + heights + " high");
  }
}

perrin_spec FirstStage::infer(std::string_view id, const perrin_spec& x) {
  require(id, x);
  const int64_t channels = x.sizes[0], height = x.sizes[x.rank - 2], moments = moments_ * s_.latent_channels;
  Plan plan{p_, s_};
  encoder_.emplace(plan, "encoder", channels, moments, height);
  if (s_.quant_conv) {
    quant_.emplace(p_, "quant_conv", moments, moments, 1);
    post_quant_.emplace(p_, "post_quant_conv", s_.latent_channels, s_.latent_channels, 1);
  }
  decoder_.emplace(plan, "decoder", s_.latent_channels, channels, height);
  if (!s_.weights.empty()) give_weights(p_, s_);
  perrin_spec z = x;
  z.sizes[0] = s_.latent_channels;
  if (x.rank == 4) z.sizes[1] /= s_.time_factor();
  for (uint32_t i = x.rank - 2; i < x.rank; ++i) z.sizes[i] /= s_.factor();
  return z;
}

at::Tensor FirstStage::encode(const perrin_call& call, const at::Tensor& x, bool training) const {
  if (training) return encoded(x, perrin::Draws::in_training(call));
  const Tiles tiles{s_.tile, 1, s_.factor()};
  return sliced(x, s_.slice, [&](const at::Tensor& some) {
    return tiled(some, tiles, [&](const at::Tensor& tile) { return encoded(tile, nullptr); });
  });
}

at::Tensor FirstStage::decode(const perrin_call& call, const at::Tensor& z) const {
  if (call.training) return decoded(z, perrin::Draws::in_training(call));
  const Tiles tiles{s_.tile / s_.factor(), s_.factor(), 1};
  return sliced(z, s_.slice, [&](const at::Tensor& some) {
    return tiled(some, tiles, [&](const at::Tensor& tile) { return decoded(tile, nullptr); });
  });
}

at::Tensor FirstStage::encoded(const at::Tensor& x, std::shared_ptr<const perrin::Draws> draws) const {
  Context context{std::move(draws), s_.gradient_checkpointing, frames_of(x)};
  const auto h = (*encoder_)(frames(x), context);
  return clip(quant_ ? (*quant_)(h) : h, x.dim(), x.size(0));
}

at::Tensor FirstStage::decoded(const at::Tensor& z, std::shared_ptr<const perrin::Draws> draws) const {
  Context context{std::move(draws), s_.gradient_checkpointing, frames_of(z)};
  const auto h = frames(z);
  return clip((*decoder_)(post_quant_ ? (*post_quant_)(h) : h, context), z.dim(), z.size(0));
}

}  // namespace first_stage
