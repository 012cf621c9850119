// What conditioners cut off of long texts: perrin.text-lengths/1.
#pragma once

#include <perrin/kind/text_lengths.h>

#include <string>
#include <vector>

#include "host/model/conditioning.hpp"

namespace perrin::services {
template <>
inline constexpr std::string_view table_id<perrin_text_lengths> = PERRIN_TEXT_LENGTHS;
}

namespace perrin::model {

// Of one conditioner, which keeps `limit` tokens of a text.
struct TextLengths {
  std::string conditioner;
  uint64_t limit = 0;
  std::vector<uint64_t> tokens;  // [B] of each text before it is cut
};

// Of those conditioners that cut texts. After a fit, where one asks for it (fit.hpp).
std::vector<TextLengths> text_lengths(Model& model, const FieldsOf& fields);

}  // namespace perrin::model
