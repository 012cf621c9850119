#include <algorithm>
#include <filesystem>
#include <mutex>

#include "caption_source.hpp"
#include "captions.hpp"
#include "found.hpp"
#include "names.hpp"
#include "transform.hpp"
#include "walk.hpp"

namespace perrin::datasets {
namespace {

namespace fs = std::filesystem;

struct ImageFolder : AugmentedReads<ImageFolder> {
  static constexpr std::string_view id = "image-folder", version = "0.1.0";
  static constexpr std::string_view doc =
      "PNG, JPEG and WebP images below a folder, in the order of their paths; the class is the first subfolder. "
      "Captions come from a text file beside each image or from metadata.jsonl or metadata.csv. What is passed over "
      "(hidden names, other formats, links that lead up, images without a caption) the log counts.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = {
        Key::string("folder", nullptr, "where the images are; subfolders are searched too"),
        Key::string(
            "labels", "\"folder\"",
            "folder: the class is the first subfolder, in alphabetical order, if images lie in subfolders; none: no "
            "classes")
            .choices({"folder", "none"}),
        Key::string(
            "captions", "\"none\"",
            "txt: from the file of the same name with the ending .txt; metadata: from the folder's metadata.jsonl "
            "or metadata.csv with file_name and text")
            .choices({"none", "txt", "metadata"}),
        CaptionField::key(),
        Key::integer("limit", "0", "only the first so many images; 0: all").min(0).unit("samples")};
    for (auto more : {Transform::size_keys(), Transform::augmentation_keys()})
      keys.insert(keys.end(), more.begin(), more.end());
    return keys;
  }
  static void validate(const Config& config) { Transform::validate_size(config); }
  explicit ImageFolder(const Config& config)
      : name_(config.string("folder")),
        labelled_(config.string("labels") == "folder"),
        captions_(config.string("captions")),
        caption_field_(config),
        limit_(static_cast<uint64_t>(config.integer("limit"))),
        transform_(config) {}

  const std::vector<perrin_field>& fields() const { return scan(), fields_; }
  uint64_t count() const { return scan(), files_.size(); }

  void identity(const Identity& told) const {
    scan();
    const auto tell = [&](const fs::path& file) { told.file(file.generic_string(), (folder_ / file).string()); };
    for (const File& file : files_) {
      tell(file.path);
      if (captions_ == "txt") tell(fs::path(file.path).replace_extension(".txt"));
    }
    for (const char* metadata : {"metadata.jsonl", "metadata.csv"})
      if (captions_ == "metadata" && fs::exists(folder_ / metadata)) tell(metadata);
  }

  void load(uint64_t index, const Augmentation* augmentation, uint64_t i, void* const* buffers) const {
    scan();
    check_index(index, files_.size());
    const File& file = files_[index];
    const std::string path = (folder_ / file.path).string();
    const auto size = static_cast<uint64_t>(transform_.size() * transform_.size() * transform_.channels());
    transform_.read(read_file(path, max_image_file), path, augmentation, static_cast<uint8_t*>(buffers[0]) + i * size);
    size_t f = 1;
    if (!classes_.empty()) static_cast<int64_t*>(buffers[f++])[i] = file.label;
    if (captions_ != "none") caption_field_.put(file.caption, i, buffers[f]);
  }

 private:
  struct File {
    fs::path path;  // below the folder
    int64_t label = 0;
    std::string caption;
  };

  // Finds the images, their classes and captions, once.
  void scan() const {
    const std::lock_guard lock(mutex_);
    if (!fields_.empty()) return;
    folder_ = found_folder(name_, "Set dataset.folder to a folder of images");
    Tally tally;
    Walked walked = walk(folder_, tally);
    std::vector<File> files;
    for (fs::path& image : walked.images) files.push_back({std::move(image), 0, {}});
    if (files.empty())
      throw Failure(PERRIN_INVALID_DATA,
                    folder_.string() + " holds no image (.png, .jpg, .jpeg or .webp)" + tally.text());
    if (captions_ != "none") caption(files, std::move(walked.texts), tally);
    std::vector<std::string> classes = labelled_ ? classify(files) : std::vector<std::string>();
    if (limit_ != 0 && limit_ < files.size()) files.resize(limit_);
    tally.say(folder_.string());
    files_ = std::move(files);
    classes_ = std::move(classes);
    fields_ = describe();
  }

  // Sets the labels and returns the classes; none if all images lie in the folder itself.
  std::vector<std::string> classify(std::vector<File>& files) const {
    std::vector<std::string> classes;
    const auto nested = [](const File& file) { return file.path.has_parent_path(); };
    const auto loose = std::find_if_not(files.begin(), files.end(), nested);
    if (std::none_of(files.begin(), files.end(), nested)) return classes;
    if (loose != files.end())
      throw Failure(PERRIN_INVALID_DATA,
                    (folder_ / loose->path).string() +
                        " lies in no subfolder, so it has no class, while others have one; move it "
                        "or set labels = \"none\"");
    for (File& file : files) {  // sorted by path, so by class
      const std::string name = file.path.begin()->string();
      if (classes.empty() || classes.back() != name) classes.push_back(name);
      file.label = static_cast<int64_t>(classes.size()) - 1;
    }
    return classes;
  }

  // Keeps the images that have a caption.
  void caption(std::vector<File>& files, std::multimap<fs::path, fs::path> texts, Tally& tally) const {
    CaptionSource source(captions_, folder_, std::move(texts));
    std::erase_if(files, [&](File& file) {
      std::optional<std::string> caption = source.find(file.path);
      if (!caption) return tally.add(reason::no_caption, file.path.native()), true;
      caption_field_.measure(*caption);
      file.caption = std::move(*caption);
      return false;
    });
    source.say_unused(tally);
    if (files.empty())
      throw Failure(PERRIN_INVALID_DATA, folder_.string() + " holds no image with a caption" + tally.text());
    caption_field_.measured(folder_.string());
  }

  std::vector<perrin_field> describe() const {
    const int64_t size = transform_.size();
    std::vector<perrin_field> fields = {
        field(spec("image", PERRIN_UINT8, {transform_.channels(), size, size}), 2.0 / 255, -1)};
    if (!classes_.empty()) fields.push_back(field(spec("label", PERRIN_INT64, {}), 1, 0, classes_.size()));
    if (captions_ != "none") fields.push_back(caption_field_.describe());
    return fields;
  }

  std::string name_;
  bool labelled_;
  std::string captions_;
  mutable CaptionField caption_field_;  // measured by the scan
  uint64_t limit_;
  Transform transform_;
  mutable std::mutex mutex_;
  mutable fs::path folder_;
  mutable std::vector<File> files_;           // sorted by path, once scanned
  mutable std::vector<std::string> classes_;  // sorted
  mutable std::vector<perrin_field> fields_;  // empty: not scanned yet
};
PERRIN_DATASET(ImageFolder);

}  // namespace
}  // namespace perrin::datasets
