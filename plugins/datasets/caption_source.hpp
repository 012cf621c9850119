// Where the images of a folder have their captions.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "metadata.hpp"

namespace perrin::datasets {

class CaptionSource {
 public:
  // how: "txt", from these files (path without .txt -> path, below the folder), or "metadata".
  CaptionSource(const std::string& how, std::filesystem::path folder,
                std::multimap<std::filesystem::path, std::filesystem::path> texts);

  // Nothing if the image has none. Throws Failure if it has two, or if the text cannot be read.
  std::optional<std::string> find(const std::filesystem::path& image);
  // The captions that no image asked for.
  void say_unused(Tally& tally) const;

 private:
  std::filesystem::path folder_;
  std::optional<Metadata> rows_;  // how = "metadata"
  std::multimap<std::filesystem::path, std::filesystem::path> texts_;
  std::set<std::filesystem::path> used_;  // keys of texts_
};

}  // namespace perrin::datasets
