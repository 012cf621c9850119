// A small residual network for images of about 32 x 32: what resnet-small and clip-image share.
#pragma once

#include <perrin/cpp/layers.hpp>

#include "images.hpp"

namespace trunk {

struct Settings {
  // Failure(PERRIN_INVALID_CONFIG) for values that do not fit together.
  explicit Settings(const perrin::Config& config);
  static std::vector<perrin::Key> keys();

  std::vector<std::string> layers() const;  // "stem", "level1", ..., "features"
  std::vector<int64_t> channels;            // of each level
  int64_t blocks, groups;
};

// x + f(x), normalisation and SiLU before each convolution (1603.05027, figure 1b, with group normalisation).
class Block {
 public:
  Block(perrin::Parameters& p, const std::string& name, int64_t groups, int64_t in, int64_t out, int64_t stride);
  // [B, in, H, W] -> [B, out, H / stride, W / stride].
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  perrin::GroupNorm norm1_;
  perrin::Conv2d conv1_;
  perrin::GroupNorm norm2_;
  perrin::Conv2d conv2_;
  std::optional<perrin::Conv2d> shortcut_;
};

class Trunk {
 public:
  Trunk(perrin::Parameters& p, const Settings& settings, std::string_view id, const perrin_spec& x);

  const std::vector<perrin_spec>& specs() const { return specs_; }  // of Settings::layers()
  int64_t width() const { return specs_.back().sizes[0]; }

  // Every layer up to "features" [B, width], into `layers`; features, undefined once nothing later is asked for.
  // x: [B, C, H, W] in [-1, 1].
  at::Tensor operator()(const at::Tensor& x, perrin::WantedLayers& layers) const;

 private:
  std::optional<perrin::Conv2d> stem_;
  std::vector<std::vector<Block>> levels_;
  std::optional<perrin::GroupNorm> norm_;
  std::vector<perrin_spec> specs_;
};

}  // namespace trunk
