// What conditioners cut off of long texts: perrin.text-lengths/1.
#pragma once

#include <perrin/kind/text_lengths.h>

#include <string>
#include <vector>

#include "host/run/conditioning.hpp"

namespace perrin::services {
template <>
inline constexpr std::string_view table_id<perrin_text_lengths> = PERRIN_TEXT_LENGTHS;
}

namespace perrin::run {

// Of one conditioner, which keeps `limit` tokens of a text.
struct TextLengths {
  std::string conditioner;
  uint64_t limit = 0;
  std::vector<uint64_t> tokens;  // [B] of each text before it is cut
};

// Of those conditioners that cut texts. After a fit, where one asks for it (fit.hpp).
std::vector<TextLengths> text_lengths(Model& model, const FieldsOf& fields);

// One line for each conditioner that cuts captions of the dataset's first samples, at most `most`: how many, by how much.
std::vector<std::string> cut_captions(Model& model, int64_t batch_size, uint64_t most = 1000);

}  // namespace perrin::run
