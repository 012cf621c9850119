// The binary version of CIFAR: records of label bytes and 32 x 32 pixels, in planes of red, green and blue.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "found.hpp"
#include "transform.hpp"

namespace perrin::datasets {

// What distinguishes CIFAR-10 from CIFAR-100.
struct CifarLayout {
  std::string_view title;               // in messages
  std::string_view folder;              // as the archive unpacks
  std::string_view archive;             // where it comes from
  std::vector<std::string_view> files;  // of the chosen split
  uint64_t label_bytes;                 // of a record, the chosen one first counted from 0
  uint64_t label_byte;
  uint64_t n_classes;
};

// Keys: folder, limit, flip, pad (and what the dataset adds). Samples lie in memory once they are read.
class Cifar : public AugmentedReads<Cifar> {
 public:
  static constexpr int64_t side = 32, n_pixels = 3 * side * side;

  static std::vector<Key> keys(const char* folder) {
    std::vector<Key> keys = {
        Key::string("folder", "\"\"", folder),
        Key::string("split", "\"train\"", "which of the two parts").choices({"train", "test"}),
        Key::integer("limit", "0", "only the first so many samples; 0: all").min(0).unit("samples")};
    for (Key& key : Transform::augmentation_keys()) keys.push_back(std::move(key));
    return keys;
  }

  Cifar(const Config& config, CifarLayout layout)
      : layout_(std::move(layout)),
        folder_(config.string("folder")),
        limit_(static_cast<uint64_t>(config.integer("limit"))),
        transform_(config, 3, side),
        fields_{field(spec("image", PERRIN_UINT8, {3, side, side}), 2.0 / 255, -1),
                field(spec("label", PERRIN_INT64, {}), 1, 0, layout_.n_classes)} {}

  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { return load_files(), labels_.size(); }
  void identity(const Identity& told) const {
    for (std::string_view file : layout_.files) told.file(file, found() + "/" + std::string(file));
  }

  void load(uint64_t index, const Augmentation* augmentation, uint64_t i, void* const* buffers) const {
    load_files();
    check_index(index, labels_.size());
    const perrin_image image = {sizeof image, 3, side, side, images_[index].data()};
    transform_.apply(image, augmentation, static_cast<uint8_t*>(buffers[0]) + i * n_pixels);
    static_cast<int64_t*>(buffers[1])[i] = labels_[index];
  }

 private:
  std::string found() const {
    return found_folder(folder_.empty() ? std::string(layout_.folder) : folder_,
                        std::string(layout_.title) + " is the folder " + std::string(layout_.folder) + " of " +
                            std::string(layout_.archive) + ", unpacked; set dataset.folder to where it lies");
  }
  using Values = std::vector<uint8_t>;  // [side, side, 3]

  // All records of the split, once.
  void load_files() const {
    const std::lock_guard lock(mutex_);
    if (!labels_.empty()) return;
    const std::string folder = found();
    std::vector<Values> images;
    std::vector<uint8_t> labels;
    for (std::string_view file : layout_.files) load_file(folder + "/" + std::string(file), images, labels);
    if (limit_ != 0 && limit_ < labels.size()) labels.resize(limit_), images.resize(limit_);
    images_ = std::move(images);
    labels_ = std::move(labels);
  }

  void load_file(const std::string& path, std::vector<Values>& images, std::vector<uint8_t>& labels) const {
    const std::string bytes = read_file(path, max_table_file);
    const uint64_t record = layout_.label_bytes + n_pixels;
    if (bytes.empty() || bytes.size() % record != 0)
      throw Failure(PERRIN_INVALID_DATA, path + ": " + std::to_string(bytes.size()) +
                                             " bytes are not whole records of " + std::to_string(record) +
                                             ": the file is truncated or another one");
    for (uint64_t at = 0; at < bytes.size(); at += record) {
      const auto label = static_cast<uint8_t>(bytes[at + layout_.label_byte]);
      if (label >= layout_.n_classes)
        throw Failure(PERRIN_INVALID_DATA, path + ": label " + std::to_string(label) + " of record " +
                                               std::to_string(at / record) + " is not below " +
                                               std::to_string(layout_.n_classes));
      labels.push_back(label);
      images.push_back(interleaved(reinterpret_cast<const uint8_t*>(&bytes[at + layout_.label_bytes])));
    }
  }

  static Values interleaved(const uint8_t* planes) {
    Values image(n_pixels);
    for (size_t c = 0; c < 3; ++c)
      for (size_t i = 0; i < side * side; ++i) image[3 * i + c] = *planes++;
    return image;
  }

  CifarLayout layout_;
  std::string folder_;
  uint64_t limit_;
  Transform transform_;
  std::vector<perrin_field> fields_;
  mutable std::mutex mutex_;
  mutable std::vector<Values> images_;   // [count], once loaded
  mutable std::vector<uint8_t> labels_;  // [count]
};

}  // namespace perrin::datasets
