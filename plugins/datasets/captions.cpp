#include "captions.hpp"

#include <algorithm>
#include <cstring>

#include "perrin/cpp/text_file.hpp"
#include "tally.hpp"

namespace perrin::datasets {

std::string caption_of(std::string bytes, const std::string& name) {
  std::string text = utf8_text(std::move(bytes), name);
  text.erase(text.find_last_not_of(" \t\n\v\f\r") + 1);
  return text;
}

Key CaptionField::key() {
  return Key::integer("caption_bytes", "256",
                      "length of the caption field; longer captions are cut at a character, and the log says how many")
      .min(1)
      .max(65536)
      .unit("bytes");
}

void CaptionField::put(std::string_view caption, uint64_t i, void* buffer) const {
  size_t n = std::min<size_t>(caption.size(), bytes_);
  // A byte 10xxxxxx continues a character that began before it.
  if (n < caption.size())
    while (n > 0 && (static_cast<uint8_t>(caption[n]) & 0xC0) == 0x80) --n;
  auto* out = static_cast<uint8_t*>(buffer) + i * bytes_;
  std::memcpy(out, caption.data(), n);
  std::memset(out + n, 0, bytes_ - n);
  if (n < caption.size() && !said_.exchange(true))
    warn("a caption of " + std::to_string(caption.size()) +
         " bytes is cut to caption_bytes = " + std::to_string(bytes_));
}

void CaptionField::measure(std::string_view caption) {
  ++n_;
  n_cut_ += caption.size() > bytes_;
  longest_ = std::max<uint64_t>(longest_, caption.size());
}

void CaptionField::measured(const std::string& where) {
  said_ = true;
  if (n_cut_ > 0)
    warn(printable(where) + ": " + std::to_string(n_cut_) + " of " + std::to_string(n_) +
         " captions are cut to caption_bytes = " + std::to_string(bytes_) + "; the longest has " +
         std::to_string(longest_) + " bytes: raise the key to keep it");
}

}  // namespace perrin::datasets
