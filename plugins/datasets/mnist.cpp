#include "idx_images.hpp"

namespace perrin::datasets {
namespace {

struct Mnist : IdxImages {
  static constexpr std::string_view id = "mnist", version = "0.1.0";
  static constexpr std::string_view doc =
      "MNIST (LeCun et al. 1998): 60,000 + 10,000 grey images of handwritten digits, from the four IDX files, gzip or "
      "plain.";
  static std::vector<Key> keys() {
    return IdxImages::keys(
        "folder of the IDX files; empty: a folder named mnist beside the experiment file, in the working folder, in "
        "PERRIN_DATA or in /usr/share/datasets");
  }
  explicit Mnist(const Config& config)
      : IdxImages(config, {"MNIST", "mnist", "put them into one folder and set dataset.folder"}) {}
};
PERRIN_DATASET(Mnist);

}  // namespace
}  // namespace perrin::datasets
