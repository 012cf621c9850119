#include "idx_images.hpp"

namespace perrin::datasets {
namespace {

struct FashionMnist : IdxImages {
  static constexpr std::string_view id = "fashion-mnist", version = "0.1.0";
  static constexpr std::string_view doc =
      "Fashion-MNIST (1708.07747): 60,000 + 10,000 grey images of clothes in 10 classes, from the four IDX files, gzip "
      "or plain.";
  static std::vector<Key> keys() {
    return IdxImages::keys(
        "folder of the IDX files; empty: a folder named fashion-mnist beside the experiment file, in the working "
        "folder, "
        "in PERRIN_DATA or in /usr/share/datasets");
  }
  explicit FashionMnist(const Config& config)
      : IdxImages(config, {"Fashion-MNIST", "fashion-mnist",
                           "Debian's package dataset-fashion-mnist has them, elsewhere set dataset.folder"}) {}
};
PERRIN_DATASET(FashionMnist);

}  // namespace
}  // namespace perrin::datasets
