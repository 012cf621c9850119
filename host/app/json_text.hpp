// JSON as the commands print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace perrin::app {

// With a newline. JSON is Unicode: a byte of a path that is no UTF-8 becomes U+FFFD.
template <class Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace perrin::app
