#include "walk.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "names.hpp"
#include "perrin/cpp/plugin.hpp"

namespace perrin::datasets {
namespace {

namespace fs = std::filesystem;
using Identity = std::pair<uint64_t, uint64_t>;  // device, inode

constexpr unsigned max_links = 8;

Identity identity_of(const fs::path& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) return {};
  return {seen.st_dev, seen.st_ino};
}

class Walk {
 public:
  Walk(fs::path root, Tally& tally) : root_(std::move(root)), tally_(tally) {}

  // A folder below the root; links: of them on the way down.
  void enter(const fs::path& folder, unsigned links) {
    above_.push_back(identity_of(root_ / folder));
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator entry(root_ / folder, error), end; !error && entry != end; entry.increment(error))
      entries.push_back(*entry);
    if (error) throw Failure(PERRIN_IO, (root_ / folder).string() + ": " + error.message());
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) visit(entry, folder / entry.path().filename(), links);
    above_.pop_back();
  }

  Walked found;

 private:
  void visit(const fs::directory_entry& entry, const fs::path& path, unsigned links) {
    std::error_code error;
    const fs::file_status status = entry.status(error);
    const bool image = is_image_ending(ending_of(path.native())) || is_other_image_ending(ending_of(path.native()));
    if (is_hidden(path.filename().native())) {
      if (image || fs::is_directory(status)) tally_.add(reason::hidden, path.native());
    } else if (fs::is_directory(status)) {
      descend(entry, path, links);
    } else if (fs::is_regular_file(status)) {
      add(path);
    } else if (entry.is_symlink(error)) {
      tally_.add(reason::dangling, path.native());
    } else if (image || ending_of(path.native()) == ".txt") {
      tally_.add(reason::special, path.native());
    }
  }

  void descend(const fs::directory_entry& entry, const fs::path& path, unsigned links) {
    std::error_code ignored;
    const Identity target = identity_of(entry.path());
    const bool link = entry.is_symlink(ignored);
    if (link && leads_up(entry.path().parent_path(), target))
      return tally_.add("passed over: links that lead to a folder above them", path.native());
    if (!met_.insert(target).second)
      tally_.add("folders that links name again, so that their files are read again", path.native());
    if (link && links == max_links)
      throw Failure(PERRIN_INVALID_DATA, entry.path().string() + ": more than " + std::to_string(max_links) +
                                             " links follow each other on the way to it");
    enter(path, links + link);
  }

  // Above by the way that was taken, or by where the folder really lies.
  bool leads_up(const fs::path& folder, const Identity& target) const {
    if (std::find(above_.begin(), above_.end(), target) != above_.end()) return true;
    std::error_code error;
    for (fs::path real = fs::canonical(folder, error); !error && real.has_relative_path(); real = real.parent_path())
      if (identity_of(real) == target) return true;
    return identity_of("/") == target;
  }

  void add(const fs::path& path) {
    const std::string ending = ending_of(path.native());
    if (is_image_ending(ending))
      found.images.push_back(path);
    else if (is_other_image_ending(ending))
      tally_.add(reason::other_image, path.native());
    else if (ending == ".txt")
      found.texts.emplace(fs::path(path).replace_extension(), path);
  }

  fs::path root_;
  Tally& tally_;
  std::vector<Identity> above_;
  std::set<Identity> met_;
};

}  // namespace

Walked walk(const fs::path& folder, Tally& tally) {
  Walk walk(folder, tally);
  walk.enter({}, 0);
  std::sort(walk.found.images.begin(), walk.found.images.end());
  return std::move(walk.found);
}

}  // namespace perrin::datasets
