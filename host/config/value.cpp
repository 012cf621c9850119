#include "host/config/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace perrin::config {
namespace {

struct Words {
  std::string_view name, word;
};
constexpr std::array<Words, 7> kWords = {{{"boolean", "boolean"},
                                          {"integer", "integer"},
                                          {"number", "number"},
                                          {"text", "text"},
                                          {"list of integers", "integers"},
                                          {"list of numbers", "numbers"},
                                          {"list of texts", "texts"}}};

std::string escaped(char c) {
  switch (c) {
    case '\b':
      return "\\b";
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\f':
      return "\\f";
    case '\r':
      return "\\r";
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  if (code >= 0x20 && code != 0x7f) return std::string(1, c);
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04X", code);
  return buffer;
}

std::string spell(bool value) { return value ? "true" : "false"; }
std::string spell(int64_t value) { return std::to_string(value); }
std::string spell(double value) { return to_toml(value); }
std::string spell(const std::string& value) { return to_toml(std::string_view(value)); }

template <class T>
std::string spell(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) text += (text.size() > 1 ? ", " : "") + spell(value);
  return text + "]";
}

}  // namespace

std::string_view type_name(Type type) { return kWords[static_cast<size_t>(type)].name; }
std::string_view type_word(Type type) { return kWords[static_cast<size_t>(type)].word; }

bool type_from_word(std::string_view word, Type* type) {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i].word != word) continue;
    *type = static_cast<Type>(i);
    return true;
  }
  return false;
}

std::string to_toml(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string to_toml(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) quoted += escaped(c);
  return quoted + "\"";
}

std::string to_toml(const Value& value) {
  return std::visit([](const auto& held) { return spell(held); }, value);
}

}  // namespace perrin::config
