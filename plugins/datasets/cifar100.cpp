#include "cifar.hpp"

namespace perrin::datasets {
namespace {

struct Cifar100 : Cifar {
  static constexpr std::string_view id = "cifar100", version = "0.1.0";
  static constexpr std::string_view doc =
      "CIFAR-100 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32 pixels in 100 classes, or their 20 "
      "groups, "
      "from the binary version.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = Cifar::keys(
        "folder of train.bin and test.bin; empty: a folder named cifar-100-binary beside the experiment file, in the "
        "working folder, in PERRIN_DATA or in /usr/share/datasets");
    keys.push_back(Key::string("labels", "\"fine\"", "fine: the 100 classes; coarse: the 20 groups of five")
                       .choices({"fine", "coarse"}));
    return keys;
  }
  explicit Cifar100(const Config& config) : Cifar(config, layout(config)) {}

 private:
  // A record begins with the coarse label and the fine one.
  static CifarLayout layout(const Config& config) {
    const bool fine = config.string("labels") == "fine", train = config.string("split") == "train";
    return {"CIFAR-100",
            "cifar-100-binary",
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            {train ? "train.bin" : "test.bin"},
            2,
            fine ? 1u : 0u,
            fine ? 100u : 20u};
  }
};
PERRIN_DATASET(Cifar100);

}  // namespace
}  // namespace perrin::datasets
