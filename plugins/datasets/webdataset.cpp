#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "captions.hpp"
#include "found.hpp"
#include "pixels.hpp"
#include "tar.hpp"
#include "transform.hpp"

namespace perrin::datasets {
namespace {

namespace fs = std::filesystem;

struct WebDataset : AugmentedReads<WebDataset> {
  static constexpr std::string_view id = "webdataset", version = "0.1.0";
  static constexpr std::string_view doc =
      "Tar shards in the WebDataset layout: members that share a name up to the first dot are one sample, an image "
      "(.png, "
      ".jpg, .jpeg, .webp) with its class (.cls) and its caption (.txt). Shards are read at random, in the order of "
      "their "
      "names.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = {
        Key::string("folder", nullptr, "where the shards are: every .tar file of this folder"),
        Key::integer("classes", "0", "number of classes that .cls members count from 0; 0: no labels").min(0),
        Key::boolean("captions", "false", "read the .txt member of each sample"), caption_length_key(),
        Key::integer("limit", "0", "only the first so many samples; 0: all").min(0).unit("samples")};
    for (auto more : {Transform::size_keys(), Transform::augmentation_keys()})
      keys.insert(keys.end(), more.begin(), more.end());
    return keys;
  }
  static void validate(const Config& config) { Transform::validate_size(config); }
  explicit WebDataset(const Config& config)
      : name_(config.string("folder")),
        classes_(static_cast<uint64_t>(config.integer("classes"))),
        captioned_(config.boolean("captions")),
        caption_bytes_(static_cast<uint64_t>(config.integer("caption_bytes"))),
        limit_(static_cast<uint64_t>(config.integer("limit"))),
        transform_(config) {
    const int64_t size = transform_.size();
    fields_ = {field(spec("image", PERRIN_UINT8, {transform_.channels(), size, size}), 2.0 / 255, -1)};
    if (classes_ > 0) fields_.push_back(field(spec("label", PERRIN_INT64, {}), 1, 0, classes_));
    if (captioned_) fields_.push_back(field(spec("caption", PERRIN_UINT8, {config.integer("caption_bytes")}), 1, 0));
  }

  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { return index(), samples_.size(); }

  void identity(const Identity& told) const {
    index();
    for (const std::string& shard : shards_) told.file(fs::path(shard).filename().string(), shard);
  }

  void load(uint64_t at, const Augmentation* augmentation, uint64_t i, void* const* buffers) const {
    index();
    check_index(at, samples_.size());
    const Sample& sample = samples_[at];
    const std::string& shard = shards_[sample.shard];
    const auto size = static_cast<uint64_t>(transform_.size() * transform_.size() * transform_.channels());
    transform_.read(read_member(shard, sample.image), shard + ":" + sample.image.name, augmentation,
                    static_cast<uint8_t*>(buffers[0]) + i * size);
    size_t f = 1;
    if (classes_ > 0) static_cast<int64_t*>(buffers[f++])[i] = label_of(sample);
    if (captioned_)
      copy_caption(read_member(shard, sample.caption), caption_bytes_,
                   static_cast<uint8_t*>(buffers[f]) + i * caption_bytes_);
  }

 private:
  struct Sample {
    size_t shard = 0;
    TarMember image, label, caption;  // size 0: absent
  };

  int64_t label_of(const Sample& sample) const {
    const std::string& shard = shards_[sample.shard];
    const std::string text = read_member(shard, sample.label);
    char* end = nullptr;
    const long long label = std::strtoll(text.c_str(), &end, 10);
    if (end == text.c_str() || label < 0 || static_cast<uint64_t>(label) >= classes_)
      throw Failure(PERRIN_INVALID_DATA, shard + ":" + sample.label.name + ": \"" + text.substr(0, 32) +
                                             "\" is not a class from 0 to " + std::to_string(classes_ - 1));
    return label;
  }

  // Reads the headers of all shards, once.
  void index() const {
    const std::lock_guard lock(mutex_);
    if (!samples_.empty()) return;
    const fs::path folder = found_folder(name_, "Set dataset.folder to a folder of .tar shards");
    std::vector<std::string> shards;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".tar") shards.push_back(entry.path().string());
    if (shards.empty()) throw Failure(PERRIN_INVALID_DATA, folder.string() + " holds no .tar file");
    std::sort(shards.begin(), shards.end());
    std::vector<Sample> samples;
    for (size_t s = 0; s < shards.size(); ++s) add_shard(shards[s], s, samples);
    if (samples.empty()) throw Failure(PERRIN_INVALID_DATA, folder.string() + ": its shards hold no image");
    if (limit_ != 0 && limit_ < samples.size()) samples.resize(limit_);
    shards_ = std::move(shards);
    samples_ = std::move(samples);
  }

  // The samples of one shard, in its order.
  void add_shard(const std::string& path, size_t shard, std::vector<Sample>& samples) const {
    std::map<std::string, size_t> by_key;
    std::vector<Sample> found;
    for (TarMember& member : list_tar(path)) {
      const size_t base = member.name.rfind('/') + 1;  // 0 without a folder
      const size_t dot = member.name.find('.', base);
      if (dot == std::string::npos) continue;
      const auto [entry, fresh] = by_key.emplace(member.name.substr(0, dot), found.size());
      if (fresh) found.emplace_back().shard = shard;
      Sample& sample = found[entry->second];
      const std::string ending = member.name.substr(dot);
      if (is_image_ending(ending))
        sample.image = std::move(member);
      else if (ending == ".cls")
        sample.label = std::move(member);
      else if (ending == ".txt")
        sample.caption = std::move(member);
    }
    for (Sample& sample : found) {
      if (sample.image.size == 0) continue;
      require(classes_ == 0 || sample.label.size > 0, path, sample, ".cls");
      require(!captioned_ || sample.caption.size > 0, path, sample, ".txt");
      samples.push_back(std::move(sample));
    }
  }

  static void require(bool there, const std::string& path, const Sample& sample, const std::string& ending) {
    if (!there)
      throw Failure(PERRIN_INVALID_DATA, path + ": " + sample.image.name + " has no member with the ending " + ending);
  }

  std::string name_;
  uint64_t classes_;
  bool captioned_;
  uint64_t caption_bytes_, limit_;
  Transform transform_;
  std::vector<perrin_field> fields_;
  mutable std::mutex mutex_;
  mutable std::vector<std::string> shards_;  // paths, sorted
  mutable std::vector<Sample> samples_;      // empty: not indexed yet
};
PERRIN_DATASET(WebDataset);

}  // namespace
}  // namespace perrin::datasets
