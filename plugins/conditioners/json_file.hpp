// JSON that came from somewhere else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace text {

using Json = nlohmann::json;

// Failure(PERRIN_INVALID_DATA), with `file` and the place, for what is no JSON, and for values nested deeper than 64,
// which no tokenizer's file is: what walks through the result may recurse.
Json parse_json(const std::string& text, const std::string& file);

}  // namespace text
