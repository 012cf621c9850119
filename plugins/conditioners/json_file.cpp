#include "json_file.hpp"

#include <perrin/cpp/plugin.hpp>

namespace text {

using perrin::Failure;

Json parse_json(const std::string& text, const std::string& file) {
  const auto shallow = [&](int depth, Json::parse_event_t, const Json&) {
    if (depth > 64) throw Failure(PERRIN_INVALID_DATA, file + ": its JSON is nested deeper than 64");
    return true;
  };
  try {
    return Json::parse(text, shallow);
  } catch (const Json::exception& error) {
    throw Failure(PERRIN_INVALID_DATA, file + " is not JSON: " + error.what());
  }
}

}  // namespace text
