#include <algorithm>
#include <charconv>
#include <filesystem>
#include <mutex>

#include "captions.hpp"
#include "found.hpp"
#include "names.hpp"
#include "shard.hpp"
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
      "their names. What is passed over (hidden names, other endings, images without a caption) the log counts.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = {
        Key::string("folder", nullptr, "where the shards are: every .tar file of this folder"),
        Key::integer("classes", "0", "number of classes that .cls members count from 0; 0: no labels").min(0),
        Key::boolean("captions", "false", "read the .txt member of each sample"), CaptionField::key(),
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
        caption_field_(config),
        limit_(static_cast<uint64_t>(config.integer("limit"))),
        transform_(config) {
    const int64_t size = transform_.size();
    fields_ = {field(spec("image", PERRIN_UINT8, {transform_.channels(), size, size}), 2.0 / 255, -1)};
    if (classes_ > 0) fields_.push_back(field(spec("label", PERRIN_INT64, {}), 1, 0, classes_));
    if (captioned_) fields_.push_back(caption_field_.describe());
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
    const RegularFile shard(shards_[sample.shard]);
    const auto size = static_cast<uint64_t>(transform_.size() * transform_.size() * transform_.channels());
    transform_.read(read_member(shard, *sample.image, max_image_file), shard.path() + ":" + sample.image->name,
                    augmentation, static_cast<uint8_t*>(buffers[0]) + i * size);
    size_t f = 1;
    if (classes_ > 0) static_cast<int64_t*>(buffers[f++])[i] = sample.label;
    if (captioned_) caption_field_.put(text_of(shard, *sample.caption), i, buffers[f]);
  }

 private:
  struct Sample : ShardSample {
    size_t shard;
    int64_t label;
  };

  static std::string text_of(const RegularFile& shard, const TarMember& member) {
    return caption_of(read_member(shard, member, max_caption_file), shard.path() + ":" + printable(member.name));
  }

  int64_t label_of(const RegularFile& shard, const ShardSample& sample) const {
    if (!sample.cls)
      throw Failure(PERRIN_INVALID_DATA, shard.path() + ": " + printable(sample.image->name) + " has no member .cls");
    std::string text = text_of(shard, *sample.cls);
    text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    uint64_t label = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
    if (error != std::errc() || end != text.data() + text.size() || label >= classes_)
      throw Failure(PERRIN_INVALID_DATA, shard.path() + ":" + printable(sample.cls->name) + ": \"" +
                                             printable(text.substr(0, 32)) + "\" is not a class from 0 to " +
                                             std::to_string(classes_ - 1));
    return static_cast<int64_t>(label);
  }

  // Reads the headers, classes and captions of all shards, once.
  void index() const {
    const std::lock_guard lock(mutex_);
    if (!samples_.empty()) return;
    const fs::path folder = found_folder(name_, "Set dataset.folder to a folder of .tar shards");
    Tally tally;
    std::vector<std::string> shards = list_shards(folder, tally);
    std::vector<Sample> samples;
    for (size_t s = 0; s < shards.size(); ++s) add_shard(RegularFile(shards[s]), s, samples, tally);
    if (samples.empty())
      throw Failure(PERRIN_INVALID_DATA, folder.string() + ": its shards hold no image" +
                                             (captioned_ ? " with a caption" : "") + tally.text());
    if (limit_ != 0 && limit_ < samples.size()) samples.resize(limit_);
    tally.say(folder.string());
    if (captioned_) caption_field_.measured(folder.string());
    shards_ = std::move(shards);
    samples_ = std::move(samples);
  }

  void add_shard(const RegularFile& shard, size_t number, std::vector<Sample>& samples, Tally& tally) const {
    for (ShardSample& found : list_samples(shard, tally)) {
      if (captioned_ && !found.caption) {
        tally.add(reason::no_caption, found.image->name);
        continue;
      }
      if (captioned_) caption_field_.measure(text_of(shard, *found.caption));
      const int64_t label = classes_ > 0 ? label_of(shard, found) : 0;
      samples.push_back({std::move(found), number, label});
    }
  }

  std::string name_;
  uint64_t classes_;
  bool captioned_;
  mutable CaptionField caption_field_;  // measured by the index
  uint64_t limit_;
  Transform transform_;
  std::vector<perrin_field> fields_;
  mutable std::mutex mutex_;
  mutable std::vector<std::string> shards_;  // paths, sorted
  mutable std::vector<Sample> samples_;      // empty: not indexed yet
};
PERRIN_DATASET(WebDataset);

}  // namespace
}  // namespace perrin::datasets
