// Texts that belong to images.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "perrin/cpp/dataset.hpp"

namespace perrin::datasets {

// The text of a caption's own file or member: UTF-8 without the white space at its end. Throws Failure as utf8_text
// does.
std::string caption_of(std::string bytes, const std::string& name);

// The field "caption": UTF-8, cut to whole characters, then zeros.
class CaptionField {
 public:
  static Key key();
  explicit CaptionField(const Config& config) : bytes_(static_cast<uint64_t>(config.integer("caption_bytes"))) {}

  perrin_field describe() const { return field(spec("caption", PERRIN_UINT8, {static_cast<int64_t>(bytes_)}), 1, 0); }
  // Into place i of the field's buffer. Warns at the first caption that is cut, unless `measured` did. [any]
  void put(std::string_view caption, uint64_t i, void* buffer) const;

  // Counts the captions of a dataset that knows them beforehand, in this order: measure each, then measured once.
  void measure(std::string_view caption);
  void measured(const std::string& where);

 private:
  uint64_t bytes_, n_ = 0, n_cut_ = 0, longest_ = 0;
  mutable std::atomic<bool> said_{false};
};

}  // namespace perrin::datasets
