// A configuration value and its type, as schemas declare them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace perrin::config {

// The alternatives stand in the order of Type.
using Value = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                           std::vector<std::string>>;
enum class Type { boolean, integer, number, text, integers, numbers, texts };

// Words for messages and documents: "integer", "list of numbers".
std::string_view type_name(Type type);

// One word for files: boolean integer number text integers numbers texts.
std::string_view type_word(Type type);
bool type_from_word(std::string_view word, Type* type);

// TOML spelling that parses back to the same value; doubles are the shortest that do.
std::string to_toml(const Value& value);
std::string to_toml(double value);
std::string to_toml(std::string_view text);  // quoted and escaped

}  // namespace perrin::config
