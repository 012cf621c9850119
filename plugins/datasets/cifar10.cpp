#include "cifar.hpp"

namespace perrin::datasets {
namespace {

std::vector<std::string_view> files(const std::string& split) {
  if (split == "test") return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

struct Cifar10 : Cifar {
  static constexpr std::string_view id = "cifar10", version = "0.1.0";
  static constexpr std::string_view doc =
      "CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32 pixels in 10 classes, from the binary "
      "version.";
  static std::vector<Key> keys() {
    return Cifar::keys(
        "folder of data_batch_1.bin to _5.bin and test_batch.bin; empty: a folder named cifar-10-batches-bin beside "
        "the "
        "experiment file, in the working folder, in PERRIN_DATA or in /usr/share/datasets");
  }
  explicit Cifar10(const Config& config)
      : Cifar(config, {"CIFAR-10", "cifar-10-batches-bin", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                       files(config.string("split")), 1, 0, 10}) {}
};
PERRIN_DATASET(Cifar10);

}  // namespace
}  // namespace perrin::datasets
