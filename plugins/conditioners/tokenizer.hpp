// From texts to tokens by whichever files a model has.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace text {

// How a component turns a text into tokens, and which stand around it.
struct Encoder {
  struct Marks {
    int64_t last, padding;
    std::optional<int64_t> first = {};
  };
  std::function<std::vector<int64_t>(std::string_view)> encode;  // not for two threads at once
  Marks marks;
  int64_t size;  // the largest token + 1
};

// How a kind of model calls its marks; `first` and `padding` may be empty: none, and the last.
struct MarkNames {
  std::string first, last, padding;
};

// A tokenizer.json of the Hugging Face libraries, found as perrin.artifact/1 finds files: added tokens in a text,
// normalizer, pre_tokenizer and model as the tokenizers library 0.23 has them. The marks are what its post_processor puts
// around one text, else those of `names`. "truncation" and "padding" are the component's own affair. Failure
// (PERRIN_INVALID_DATA) names what is not known here, and what is missing.
Encoder read_tokenizer(const std::string& name, const MarkNames& names);
// The same from the file's text.
Encoder parse_tokenizer(const std::string& json, const std::string& file, const MarkNames& names);

}  // namespace text
