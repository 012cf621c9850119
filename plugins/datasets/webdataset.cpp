#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "captions.hpp"
#include "found.hpp"
#include "names.hpp"
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
      "names. Hidden names, other endings and images without a caption are passed over, and the log counts them.";
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
  struct Sample {
    size_t shard = 0;
    std::optional<TarMember> image, cls, caption;
    int64_t label = 0;
  };

  static std::string text_of(const RegularFile& shard, const TarMember& member) {
    return caption_of(read_member(shard, member, max_caption_file), shard.path() + ":" + printable(member.name));
  }

  int64_t label_of(const RegularFile& shard, const Sample& sample) const {
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

  // Their paths, sorted.
  static std::vector<std::string> list_shards(const fs::path& folder, Tally& tally) {
    std::vector<std::string> shards;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string(), ending = ending_of(name);
      std::error_code ignored;
      if (ending == ".tgz" || (ending == ".gz" && ending_of(name.substr(0, name.size() - 3)) == ".tar"))
        tally.add("passed over: compressed shards (unpack them with gunzip)", name);
      else if (ending != ".tar")
        continue;
      else if (is_hidden(name))
        tally.add(reason::hidden, name);
      else if (entry->is_regular_file(ignored))
        shards.push_back(entry->path().string());
      else
        tally.add("passed over: shards that are no files", name);
    }
    if (error) throw Failure(PERRIN_IO, folder.string() + ": " + error.message());
    if (shards.empty()) throw Failure(PERRIN_INVALID_DATA, folder.string() + " holds no .tar file" + tally.text());
    std::sort(shards.begin(), shards.end());
    return shards;
  }

  // The samples of one shard, in its order.
  void add_shard(const RegularFile& shard, size_t number, std::vector<Sample>& samples, Tally& tally) const {
    std::map<std::string, size_t> by_key;
    std::vector<Sample> found;
    for (TarMember& member : list_tar(shard, tally)) {
      const std::string key = key_of(member.name), ending = ending_behind(key, member.name);
      std::optional<TarMember> Sample::*place = is_image_ending(ending) ? &Sample::image
                                                : ending == ".cls"      ? &Sample::cls
                                                : ending == ".txt"      ? &Sample::caption
                                                                        : nullptr;
      if (is_hidden(member.name) || !place) {
        pass_over(member.name, ending, tally);
        continue;
      }
      const auto [entry, fresh] = by_key.emplace(key, found.size());
      if (fresh) found.emplace_back().shard = number;
      std::optional<TarMember>& to = found[entry->second].*place;
      if (to)
        throw Failure(PERRIN_INVALID_DATA,
                      shard.path() + ": " + printable(member.name) +
                          (to->name == member.name ? " twice" : " and " + printable(to->name) + " in one sample"));
      to = std::move(member);
    }
    for (Sample& sample : found) add_sample(shard, std::move(sample), samples, tally);
  }

  void add_sample(const RegularFile& shard, Sample sample, std::vector<Sample>& samples, Tally& tally) const {
    if (!sample.image)
      return tally.add("samples without an image", (sample.caption ? sample.caption : sample.cls)->name);
    if (captioned_ && !sample.caption) return tally.add(reason::no_caption, sample.image->name);
    if (captioned_) caption_field_.measure(text_of(shard, *sample.caption));
    if (classes_ > 0) sample.label = label_of(shard, sample);
    samples.push_back(std::move(sample));
  }

  // Up to the first dot behind the folders.
  static std::string key_of(const std::string& name) { return name.substr(0, name.find('.', name.rfind('/') + 1)); }
  // The rest of the name, in lower case.
  static std::string ending_behind(const std::string& key, const std::string& name) {
    std::string ending = name.substr(key.size());
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return ending;
  }

  static void pass_over(const std::string& name, const std::string& ending, Tally& tally) {
    const std::string last = ending_of(name);
    const bool image = is_image_ending(last) || is_other_image_ending(last);
    if (is_hidden(name)) {
      if (image) tally.add(reason::hidden, name);
    } else if (is_other_image_ending(ending)) {
      tally.add(reason::other_image, name);
    } else if (image || last == ".cls" || last == ".txt") {
      tally.add("passed over: names with a dot before their ending (a key ends at the first dot of a name)", name);
    } else {
      tally.add("passed over: other endings", name);
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
