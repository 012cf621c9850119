#include "transform.hpp"

#include <algorithm>
#include <cmath>

#include "resize.hpp"

namespace perrin::datasets {

Augmentation Augmentation::draw(const perrin_stream& stream, uint64_t position) {
  double u[3];  // in (0, 1]
  service<perrin_host_rng>(PERRIN_HOST_RNG)->uniform_double(stream, position, 0, 3, u);
  return {u[0] <= 0.5, 1 - u[1], 1 - u[2]};
}

std::vector<Key> Transform::augmentation_keys() {
  return {Key::boolean("flip", "false", "in training, mirror a random half of the samples left to right"),
          Key::integer("pad", "0",
                       "in training, add a black border of this width on each side and crop back to the size at random")
              .min(0)
              .max(1024)
              .unit("pixels")};
}

std::vector<Key> Transform::size_keys() {
  return {
      Key::integer("channels", "3", "3: colour, 1: grey").min(1).max(3),
      Key::integer("size", nullptr, "height and width of what the model sees").min(1).max(4096).unit("pixels"),
      Key::string("fit", "\"crop\"",
                  "how other shapes become square: crop scales the shorter side to `size` and crops the longer one, "
                  "stretch scales both")
          .choices({"crop", "stretch"}),
      Key::string("crop", "\"center\"", "where the crop lies: always in the middle, or at random in training")
          .choices({"center", "random"}),
      Key::string("filter", "\"lanczos\"", "how pixels are resampled; all but nearest are antialiased")
          .choices(resize_filters)};
}

Transform::Transform(const Config& config, int64_t channels, int64_t size)
    : channels_(channels), size_(size), pad_(config.integer("pad")), flip_(config.boolean("flip")) {}

void Transform::validate_size(const Config& config) {
  if (config.integer("channels") == 2)
    throw Failure(PERRIN_INVALID_CONFIG, "channels = 2: images have 1 or 3 channels");
}

Transform::Transform(const Config& config) : Transform(config, config.integer("channels"), config.integer("size")) {
  random_crop_ = config.string("crop") == "random";
  stretch_ = config.string("fit") == "stretch";
  filter_ = config.string("filter");
}

// The shorter side is `size`, or both are: `image` itself if it is so already, else `resized`.
const Pixels& Transform::fitted(const Pixels& image, Pixels& resized) const {
  int64_t height = size_, width = size_;
  if (!stretch_) {
    const double scale = static_cast<double>(size_) / static_cast<double>(std::min(image.height, image.width));
    height = std::max(size_, static_cast<int64_t>(std::llround(static_cast<double>(image.height) * scale)));
    width = std::max(size_, static_cast<int64_t>(std::llround(static_cast<double>(image.width) * scale)));
  }
  if (height == image.height && width == image.width) return image;
  return resized = resize(image, height, width, filter_);
}

void Transform::apply(const Pixels& image, const Augmentation* augmentation, uint8_t* out) const {
  Pixels resized;
  const Pixels& whole = fitted(image, resized);
  const Augmentation a = augmentation ? *augmentation : Augmentation{};
  const int64_t pad = augmentation ? pad_ : 0;
  // Of the crop, in `whole`; negative in the border.
  const auto offset = [&](int64_t length, double share, bool random) {
    const int64_t room = length + 2 * pad - size_;
    const double at = random ? share : 0.5;
    return std::min(room, static_cast<int64_t>(at * static_cast<double>(room + (random ? 1 : 0)))) - pad;
  };
  const bool random = pad > 0 || (augmentation && random_crop_);
  const int64_t top = offset(whole.height, a.down, random), left = offset(whole.width, a.right, random);
  const bool mirrored = augmentation && flip_ && a.flip;
  for (int64_t c = 0; c < channels_; ++c)
    for (int64_t y = 0; y < size_; ++y)
      for (int64_t x = 0; x < size_; ++x) {
        const int64_t row = top + y, column = left + (mirrored ? size_ - 1 - x : x);
        const bool inside = row >= 0 && row < whole.height && column >= 0 && column < whole.width;
        *out++ = inside ? whole.values[static_cast<size_t>((row * whole.width + column) * channels_ + c)] : 0;
      }
}

}  // namespace perrin::datasets
