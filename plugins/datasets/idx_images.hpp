// MNIST and its successors: grey images of 28 x 28 pixels in 10 classes, as IDX files.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "found.hpp"
#include "idx.hpp"
#include "perrin/cpp/dataset.hpp"

namespace perrin::datasets {

// What distinguishes them.
struct IdxSource {
  std::string_view title;   // in messages
  std::string_view folder;  // where it is looked for unless the file names one
  std::string_view origin;  // who has the files, as the end of a message
};

// A dataset is this class with a source. Samples lie in memory once they are counted or read.
class IdxImages {
 public:
  static constexpr uint64_t side = 28, pixels = side * side, n_classes = 10;

  static std::vector<Key> keys(const char* folder) {
    return {Key::string("folder", "\"\"", folder),
            Key::string("split", "\"train\"", "which of the two parts").choices({"train", "test"}),
            Key::integer("size", "28", "height and width: 28 as published, or 32 with a background border of 2")
                .min(28)
                .max(32)
                .unit("pixels"),
            Key::integer("limit", "0", "only the first so many samples; 0: all").min(0).unit("samples")};
  }
  static void validate(const Config& config) {
    const int64_t size = config.integer("size");
    if (size != 28 && size != 32)
      throw Failure(PERRIN_INVALID_CONFIG, "size = " + std::to_string(size) + ": the images are 28 or 32 pixels wide");
  }
  IdxImages(const Config& config, IdxSource source)
      : source_(source),
        folder_(config.string("folder")),
        split_(config.string("split")),
        size_(static_cast<uint64_t>(config.integer("size"))),
        limit_(static_cast<uint64_t>(config.integer("limit"))),
        fields_{field(spec("image", PERRIN_UINT8, {1, config.integer("size"), config.integer("size")}), 2.0 / 255, -1),
                field(spec("label", PERRIN_INT64, {}), 1, 0, n_classes)} {}

  const std::vector<perrin_field>& fields() const { return fields_; }

  // Reads both files whole, so that damage is found before anything is made of them.
  uint64_t count() const {
    const std::lock_guard lock(mutex_);
    if (labels_.empty()) decode();
    return limit_ == 0 ? labels_.size() : std::min<uint64_t>(labels_.size(), limit_);
  }

  void identity(const Identity& told) const {
    const Files files = find();
    for (const std::string& path : {files.images, files.labels})
      told.file(std::filesystem::path(path).filename().string(), path);
  }

  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    const uint64_t count = this->count();
    auto* image = static_cast<uint8_t*>(buffers[0]);
    auto* label = static_cast<int64_t*>(buffers[1]);
    for (uint64_t i = 0; i < n; ++i, image += size_ * size_) {
      if (indices[i] >= count)
        throw Failure("sample " + std::to_string(indices[i]) + " of " + std::to_string(count) + " was asked for");
      copy_image(&images_[indices[i] * pixels], image);
      label[i] = labels_[indices[i]];
    }
  }

 private:
  // Where one split's two files are.
  struct Files {
    std::string images;
    std::string labels;
  };

  // 0 is the background.
  void copy_image(const uint8_t* from, uint8_t* to) const {
    const uint64_t border = (size_ - side) / 2;
    if (border != 0) std::memset(to, 0, size_ * size_);
    for (uint64_t row = 0; row < side; ++row)
      std::memcpy(to + (row + border) * size_ + border, from + row * side, side);
  }

  void decode() const {
    const Files files = find();
    const std::vector<uint64_t> sizes = read_idx_sizes(files.images, 3);
    check_match(files, sizes, read_idx_sizes(files.labels, 1));
    Idx images = read_idx(files.images, 3), labels = read_idx(files.labels, 1);
    const auto wrong =
        std::find_if(labels.values.begin(), labels.values.end(), [](uint8_t l) { return l >= n_classes; });
    if (wrong != labels.values.end())
      throw Failure(PERRIN_INVALID_DATA, files.labels + ": label " + std::to_string(*wrong) + " of sample " +
                                             std::to_string(wrong - labels.values.begin()) + " is not one of 0 to 9");
    images_ = std::move(images.values);
    labels_ = std::move(labels.values);
  }

  // By the headers alone, before anything is unpacked.
  static void check_match(const Files& files, const std::vector<uint64_t>& s, const std::vector<uint64_t>& labels) {
    if (s[1] != side || s[2] != side)
      throw Failure(PERRIN_INVALID_DATA, files.images + ": images of " + std::to_string(s[1]) + "x" +
                                             std::to_string(s[2]) + " pixels instead of 28x28");
    if (s[0] != labels[0])
      throw Failure(PERRIN_INVALID_DATA, files.images + " holds " + std::to_string(s[0]) + " images and " +
                                             files.labels + " " + std::to_string(labels[0]) +
                                             " labels: the two do not belong together");
    if (s[0] == 0) throw Failure(PERRIN_INVALID_DATA, files.images + ": holds no images");
  }

  Files find() const {
    const std::string folder = found_folder(folder_.empty() ? std::string(source_.folder) : folder_, wanted()),
                      prefix = split_ == "train" ? "train" : "t10k";
    return {find_file(folder, prefix + "-images-idx3-ubyte"), find_file(folder, prefix + "-labels-idx1-ubyte")};
  }

  std::string wanted() const {
    return std::string(source_.title) +
           " is a folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
           "t10k-labels-idx1-ubyte, each plain or with .gz; " +
           std::string(source_.origin);
  }

  std::string find_file(const std::string& folder, const std::string& name) const {
    for (const char* suffix : {".gz", ""}) {
      const std::filesystem::path file = std::filesystem::path(folder) / (name + suffix);
      std::error_code ignored;
      if (std::filesystem::is_regular_file(file, ignored)) return file.string();
    }
    throw Failure(PERRIN_IO, folder + " has neither " + name + ".gz nor " + name + ". " + wanted());
  }

  IdxSource source_;
  std::string folder_, split_;
  uint64_t size_, limit_;
  std::vector<perrin_field> fields_;
  mutable std::mutex mutex_;
  mutable std::vector<uint8_t> images_;  // [count, 28, 28], once decoded
  mutable std::vector<uint8_t> labels_;  // [count], empty until then
};

}  // namespace perrin::datasets
