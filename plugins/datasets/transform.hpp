// From an image file to the field that the model sees: decode, resize, pad, crop, flip. The order is fixed.
#pragma once

#include <string>
#include <vector>

#include "perrin/cpp/dataset.hpp"
#include "perrin/cpp/image.hpp"
#include "perrin/host/rng.h"

namespace perrin::datasets {

// What is random about one sample in training.
struct Augmentation {
  bool flip = false;
  double down = 0.5,
         right = 0.5;  // where the crop lies, of the room there is: 0 at the top left, 1 at the bottom right

  // A function of the stream and the position alone.
  static Augmentation draw(const perrin_stream& stream, uint64_t position);
};

class Transform {
 public:
  // The keys of augmentation, and those of images that come in any size and colour, with the rule for them.
  static std::vector<Key> augmentation_keys();
  static std::vector<Key> size_keys();
  static void validate_size(const Config& config);

  // Images that all have `size` pixels a side: augmentation_keys.
  Transform(const Config& config, int64_t channels, int64_t size);
  // Images of any size: size_keys and augmentation_keys.
  explicit Transform(const Config& config);

  int64_t size() const { return size_; }
  int64_t channels() const { return channels_; }
  bool augments() const { return flip_ || pad_ > 0 || random_crop_; }

  // `image` -> out [channels, size, size]. null: as in evaluation, cropped in the middle and never flipped.
  void apply(const perrin_image& image, const Augmentation* augmentation, uint8_t* out) const;
  // The same of a file's bytes. Failure, with the name, if it cannot be read.
  void read(std::string_view bytes, const std::string& name, const Augmentation* augmentation, uint8_t* out) const {
    apply(Image(bytes, static_cast<uint32_t>(channels_), name).get(), augmentation, out);
  }

 private:
  // The part of the scaled image that is seen, which may lie in the border.
  struct Cut {
    int64_t height, width;  // of the whole image, scaled
    int64_t top, left;
  };
  Cut cut_of(const perrin_image& image, const Augmentation* augmentation) const;

  int64_t channels_, size_;
  int64_t pad_ = 0;
  bool flip_ = false, random_crop_ = false, stretch_ = false;
  std::string filter_;
};

// Both ways of reading for a dataset with
//   void load(uint64_t index, const Augmentation* augmentation, uint64_t i, void* const* buffers) const;
// which puts sample `index` into place i of the buffers.
template <class Dataset>
struct AugmentedReads {
  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    for (uint64_t i = 0; i < n; ++i) self().load(indices[i], nullptr, i, buffers);
  }
  void read_augmented(perrin_stream stream, uint64_t n, const uint64_t* indices, const uint64_t* positions,
                      void* const* buffers) const {
    for (uint64_t i = 0; i < n; ++i) {
      const Augmentation augmentation = Augmentation::draw(stream, positions[i]);
      self().load(indices[i], &augmentation, i, buffers);
    }
  }

 private:
  const Dataset& self() const { return *static_cast<const Dataset*>(this); }
};

inline void check_index(uint64_t index, uint64_t count) {
  if (index >= count)
    throw Failure("sample " + std::to_string(index) + " of " + std::to_string(count) + " was asked for");
}

}  // namespace perrin::datasets
