// Texts that belong to images.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "perrin/cpp/dataset.hpp"

namespace perrin::datasets {

// file_name -> text of the folder's metadata.jsonl ({"file_name": ..., "text": ...} a line), else metadata.csv (RFC
// 4180, with columns of these names). Throws Failure with file and line for what is neither, and if there is no such
// file.
std::map<std::string, std::string> read_metadata(const std::string& folder);

// The caption as the field holds it: UTF-8, cut to whole characters, then zeros. out: [size]
void copy_caption(std::string_view caption, uint64_t size, uint8_t* out);

inline Key caption_length_key() {
  return Key::integer("caption_bytes", "256", "length of the caption field; longer captions are cut")
      .min(1)
      .max(65536)
      .unit("bytes");
}

}  // namespace perrin::datasets
