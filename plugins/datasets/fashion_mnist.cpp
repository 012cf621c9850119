#include <array>

#include "captions.hpp"
#include "idx_images.hpp"
#include "perrin/host/rng.h"

namespace perrin::datasets {
namespace {

// By label; the names are those of 1708.07747 Table 2, as one says them.
constexpr std::array<std::string_view, 10> clothes = {"a t-shirt", "a pair of trousers", "a pullover", "a dress",
                                                      "a coat",    "a sandal",           "a shirt",    "a sneaker",
                                                      "a bag",     "an ankle boot"};
// # stands for one of them.
constexpr std::array<std::string_view, 6> templates = {
    "a photo of #", "a grey photo of #", "a picture of # on a black background", "a small picture of #", "#",
    "an image of #"};

struct FashionMnist : IdxImages {
  static constexpr std::string_view id = "fashion-mnist", version = "0.1.0";
  static constexpr std::string_view doc =
      "Fashion-MNIST (1708.07747): 60,000 + 10,000 grey images of clothes in 10 classes, from the four IDX files, gzip "
      "or plain. Captions name the class as a t-shirt, a pair of trousers, a pullover, a dress, a coat, a sandal, a "
      "shirt, a sneaker, a bag or an ankle boot, in one of six templates: \"a photo of #\", \"a grey photo of #\", \"a "
      "picture of # on a black background\", \"a small picture of #\", \"#\", \"an image of #\".";
  static std::vector<Key> keys() {
    std::vector<Key> keys = IdxImages::keys(
        "folder of the IDX files; empty: a folder named fashion-mnist beside the experiment file, in the working "
        "folder, in PERRIN_DATA or in /usr/share/datasets");
    keys.push_back(Key::string("captions", "\"none\"",
                               "templates: a field \"caption\" that names the class in one of six templates")
                       .choices({"none", "templates"}));
    keys.push_back(Key::integer("caption_seed", "0", "seed of the choice of a template for each image").min(0));
    keys.push_back(CaptionField::key());
    return keys;
  }
  explicit FashionMnist(const Config& config)
      : IdxImages(config, {"Fashion-MNIST", "fashion-mnist",
                           "Debian's package dataset-fashion-mnist has them, elsewhere set dataset.folder"}),
        captioned_(config.string("captions") == "templates"),
        stream_{static_cast<uint64_t>(config.integer("caption_seed")), PERRIN_PURPOSE_PLUGIN, 0},
        caption_(config),
        fields_(IdxImages::fields()) {
    if (!captioned_) return;
    fields_.push_back(caption_.describe());
    for (size_t t = 0; t < templates.size(); ++t)
      for (std::string_view name : clothes) caption_.measure(filled(t, name));
    caption_.measured(std::string(id));
  }

  const std::vector<perrin_field>& fields() const { return fields_; }
  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    IdxImages::read(n, indices, buffers);
    const auto* labels = static_cast<const int64_t*>(buffers[1]);
    for (uint64_t i = 0; captioned_ && i < n; ++i) caption_.put(caption(indices[i], labels[i]), i, buffers[2]);
  }

 private:
  // A function of (seed, index) and the class.
  std::string caption(uint64_t index, int64_t label) const {
    uint32_t bits = 0;
    service<perrin_host_rng>(PERRIN_HOST_RNG)->bits(stream_, index, 0, 1, &bits);
    return filled(uint64_t{bits} * templates.size() >> 32, clothes[static_cast<size_t>(label)]);
  }

  static std::string filled(size_t which, std::string_view name) {
    std::string text(templates[which]);
    return text.replace(text.find('#'), 1, name);
  }

  bool captioned_;
  perrin_stream stream_;
  CaptionField caption_;
  std::vector<perrin_field> fields_;
};
PERRIN_DATASET(FashionMnist);

}  // namespace
}  // namespace perrin::datasets
