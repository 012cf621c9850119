#include "caption_source.hpp"

#include "captions.hpp"
#include "found.hpp"
#include "names.hpp"

namespace perrin::datasets {

CaptionSource::CaptionSource(const std::string& how, std::filesystem::path folder,
                             std::multimap<std::filesystem::path, std::filesystem::path> texts)
    : folder_(std::move(folder)), texts_(std::move(texts)) {
  if (how == "metadata") rows_ = read_metadata(folder_.string());
}

std::optional<std::string> CaptionSource::find(const std::filesystem::path& image) {
  if (rows_) {
    const std::string* caption = rows_->find(image.generic_string());
    return caption ? std::optional(*caption) : std::nullopt;
  }
  const auto [first, last] = texts_.equal_range(std::filesystem::path(image).replace_extension());
  if (first == last) return std::nullopt;
  const std::string path = (folder_ / first->second).string();
  if (std::next(first) != last)
    throw Failure(PERRIN_INVALID_DATA,
                  path + ": " + std::next(first)->second.string() + " is a second caption of one image");
  used_.insert(first->first);
  return caption_of(read_file(path, max_caption_file), path);
}

void CaptionSource::say_unused(Tally& tally) const {
  if (rows_) return rows_->say_unused();
  for (const auto& [key, path] : texts_)
    if (!used_.contains(key)) tally.add(reason::no_image, path.native());
}

}  // namespace perrin::datasets
