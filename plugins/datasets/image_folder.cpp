#include <algorithm>
#include <filesystem>
#include <mutex>

#include "captions.hpp"
#include "found.hpp"
#include "pixels.hpp"
#include "transform.hpp"

namespace perrin::datasets {
namespace {

namespace fs = std::filesystem;

struct ImageFolder : AugmentedReads<ImageFolder> {
  static constexpr std::string_view id = "image-folder", version = "0.1.0";
  static constexpr std::string_view doc =
      "PNG, JPEG and WebP images below a folder, in the order of their paths; the class is the first subfolder, "
      "captions "
      "come from a text file beside each image or from metadata.jsonl or metadata.csv.";
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
        caption_length_key(),
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
        caption_bytes_(static_cast<uint64_t>(config.integer("caption_bytes"))),
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
    transform_.read(whole_file(path), path, augmentation, static_cast<uint8_t*>(buffers[0]) + i * size);
    size_t f = 1;
    if (!classes_.empty()) static_cast<int64_t*>(buffers[f++])[i] = file.label;
    if (captions_ != "none")
      copy_caption(file.caption, caption_bytes_, static_cast<uint8_t*>(buffers[f]) + i * caption_bytes_);
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
    std::vector<File> files = list();
    std::vector<std::string> classes = labelled_ ? classify(files) : std::vector<std::string>();
    if (limit_ != 0 && limit_ < files.size()) files.resize(limit_);
    if (captions_ != "none") caption(files);
    files_ = std::move(files);
    classes_ = std::move(classes);
    fields_ = describe();
  }

  std::vector<File> list() const {
    std::vector<File> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder_, fs::directory_options::follow_directory_symlink, error), end;
         !error && entry != end; entry.increment(error)) {
      std::string ending = entry->path().extension().string();
      std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
      if (is_image_ending(ending)) files.push_back({entry->path().lexically_relative(folder_), 0, {}});
    }
    if (error) throw Failure(PERRIN_IO, folder_.string() + ": " + error.message());
    if (files.empty())
      throw Failure(PERRIN_INVALID_DATA, folder_.string() + " holds no image (.png, .jpg, .jpeg or .webp)");
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; });
    return files;
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

  void caption(std::vector<File>& files) const {
    const auto texts = captions_ == "metadata" ? read_metadata(folder_.string()) : std::map<std::string, std::string>();
    for (File& file : files) {
      if (captions_ == "txt") {
        file.caption = whole_file((folder_ / file.path).replace_extension(".txt").string());
        while (!file.caption.empty() && std::isspace(static_cast<unsigned char>(file.caption.back())))
          file.caption.pop_back();
      } else if (const auto found = texts.find(file.path.generic_string()); found != texts.end()) {
        file.caption = found->second;
      } else {
        throw Failure(PERRIN_INVALID_DATA,
                      "the metadata of " + folder_.string() + " has no text for " + file.path.generic_string());
      }
    }
  }

  std::vector<perrin_field> describe() const {
    const int64_t size = transform_.size();
    std::vector<perrin_field> fields = {
        field(spec("image", PERRIN_UINT8, {transform_.channels(), size, size}), 2.0 / 255, -1)};
    if (!classes_.empty()) fields.push_back(field(spec("label", PERRIN_INT64, {}), 1, 0, classes_.size()));
    if (captions_ != "none")
      fields.push_back(field(spec("caption", PERRIN_UINT8, {static_cast<int64_t>(caption_bytes_)}), 1, 0));
    return fields;
  }

  std::string name_;
  bool labelled_;
  std::string captions_;
  uint64_t caption_bytes_, limit_;
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
