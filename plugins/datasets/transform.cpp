#include "transform.hpp"

#include <algorithm>

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
          .choices({"lanczos", "bicubic", "bilinear", "box", "nearest"})};
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

Transform::Cut Transform::cut_of(const perrin_image& image, const Augmentation* augmentation) const {
  const auto size = static_cast<uint64_t>(size_);
  const perrin_image_window cover = perrin_image_cover(image.height, image.width, size, size);
  Cut cut = {size_, size_, 0, 0};
  if (!stretch_) cut.height = static_cast<int64_t>(cover.height), cut.width = static_cast<int64_t>(cover.width);
  const Augmentation a = augmentation ? *augmentation : Augmentation{};
  const int64_t pad = augmentation ? pad_ : 0;
  const bool random = pad > 0 || (augmentation && random_crop_);
  const auto offset = [&](int64_t length, double share) {
    const int64_t room = length + 2 * pad - size_;
    const double at = random ? share : 0.5;
    return std::min(room, static_cast<int64_t>(at * static_cast<double>(room + (random ? 1 : 0)))) - pad;
  };
  cut.top = offset(cut.height, a.down), cut.left = offset(cut.width, a.right);
  return cut;
}

void Transform::apply(const perrin_image& image, const Augmentation* augmentation, uint8_t* out) const {
  const Cut cut = cut_of(image, augmentation);
  // The rows and columns of the cut that lie in the image.
  const int64_t top = std::max<int64_t>(cut.top, 0), left = std::max<int64_t>(cut.left, 0);
  const int64_t rows = std::min(cut.top + size_, cut.height) - top,
                columns = std::min(cut.left + size_, cut.width) - left;
  const auto n = [](int64_t value) { return static_cast<uint64_t>(value); };
  const uint8_t* values = image.values + (top * static_cast<int64_t>(image.width) + left) * channels_;
  int64_t stride = static_cast<int64_t>(image.width) * channels_;
  std::vector<uint8_t> scaled;
  if (rows > 0 && columns > 0 && (n(cut.height) != image.height || n(cut.width) != image.width)) {
    scaled.resize(n(rows * columns * channels_));
    resample(image, filter_,
             {sizeof(perrin_image_window), 0, n(cut.height), n(cut.width), n(top), n(left), n(rows), n(columns)},
             scaled.data());
    values = scaled.data(), stride = columns * channels_;
  }
  const bool mirrored = augmentation && flip_ && augmentation->flip;
  for (int64_t c = 0; c < channels_; ++c)
    for (int64_t y = 0; y < size_; ++y)
      for (int64_t x = 0; x < size_; ++x) {
        const int64_t row = cut.top + y - top, column = cut.left + (mirrored ? size_ - 1 - x : x) - left;
        const bool inside = row >= 0 && row < rows && column >= 0 && column < columns;
        *out++ = inside ? values[row * stride + column * channels_ + c] : 0;
      }
}

}  // namespace perrin::datasets
