#include <algorithm>

#include "perrin/cpp/dataset.hpp"

namespace perrin::datasets {
namespace {

[[noreturn]] void no_samples() {
  throw Failure(PERRIN_UNSUPPORTED,
                "the dataset \"none\" has no samples, only their description: it serves `perrin sample FILE`, with "
                "prompts where the model is conditioned on text. Choose another dataset to train");
}

// uint8 images as those of the other datasets, so that conditioners see what they were trained on.
class None {
 public:
  static constexpr std::string_view id = "none", version = "0.1.0";
  static constexpr std::string_view doc =
      "No data: what a sample looks like, for a model that is sampled from files of weights and not trained.";
  static std::vector<Key> keys() {
    return {Key::integers("shape", "[3, 64, 64]",
                          "of the field image: [channels, height, width], [3, frames, height, "
                          "width], or [values]")
                .min(1),
            Key::integer("classes", "0", "of the field label; 0: there is none").min(0),
            Key::boolean("captions", "false", "is there a field caption?")};
  }
  static void validate(const Config& config) {
    const size_t rank = config.integers("shape").size();
    if (rank < 1 || rank > 4) throw Failure(PERRIN_INVALID_CONFIG, "shape has 1 to 4 numbers");
  }

  explicit None(const Config& config) {
    const std::vector<int64_t> shape = config.integers("shape");
    perrin_spec image = spec("image", PERRIN_UINT8, {});
    image.rank = static_cast<uint32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), image.sizes);
    fields_.push_back(field(image, 2 / 255.0, -1));
    if (const int64_t classes = config.integer("classes"); classes > 0)
      fields_.push_back(field(spec("label", PERRIN_INT64, {}), 1, 0, static_cast<uint64_t>(classes)));
    if (config.boolean("captions")) fields_.push_back(field(spec("caption", PERRIN_UINT8, {256}), 1, 0));
  }

  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { no_samples(); }
  void read(uint64_t, const uint64_t*, void* const*) const { no_samples(); }

 private:
  std::vector<perrin_field> fields_;
};
PERRIN_DATASET(None);

}  // namespace
}  // namespace perrin::datasets
