#include <algorithm>
#include <cmath>

#include "host/config/schema.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: doubles beyond it are not exact integers

// Reads scalars of one key; each read_* returns false after telling why.
class Reader {
 public:
  Reader(const Key& key, Log& log) : key_(key), log_(log) {}

  bool read(const Node& node, bool* out) {
    if (auto* value = std::get_if<bool>(&node.value)) return *out = *value, true;
    return mismatch(node, Type::boolean);
  }

  bool read(const Node& node, int64_t* out) {
    if (auto* value = std::get_if<int64_t>(&node.value))
      return *out = *value, ranged(node, static_cast<double>(*value));
    auto* number = std::get_if<double>(&node.value);
    if (number == nullptr || std::floor(*number) != *number || std::abs(*number) > kExact)
      return mismatch(node, Type::integer);
    *out = static_cast<int64_t>(*number);
    return ranged(node, *number);
  }

  bool read(const Node& node, double* out) {
    if (auto* value = std::get_if<int64_t>(&node.value))
      *out = static_cast<double>(*value);
    else if (auto* number = std::get_if<double>(&node.value))
      *out = *number;
    else
      return mismatch(node, Type::number);
    if (std::isfinite(*out) || is_default(*out)) return ranged(node, *out);
    log_.error(node.at, quote(key_.name) + " must be finite", expected(key_));
    return false;
  }

  bool read(const Node& node, std::string* out) {
    if (node.text() == nullptr) return mismatch(node, Type::text);
    *out = *node.text();
    if (out->find('\0') != std::string::npos) {
      log_.error(node.at, quote(key_.name) + " holds a NUL character");
      return false;
    }
    const auto& choices = key_.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), *out) != choices.end()) return true;
    log_.error(node.at, quote(*out) + " is not a value of " + quote(key_.name), suggestion(*out, choices));
    return false;
  }

  template <class T>
  bool read(const Node& node, std::vector<T>* out) {
    if (node.array() == nullptr) return mismatch(node, key_.type);
    bool good = true;
    for (const Node& element : *node.array()) {
      T value{};
      good = read(element, &value) && good;
      out->push_back(value);
    }
    return good;
  }

 private:
  // A schema may mean infinity ("no limit"); the resolved file then spells it.
  bool is_default(double value) const { return key_.default_value && *key_.default_value == Value(value); }

  bool mismatch(const Node& node, Type wanted) {
    const bool element = wanted != key_.type;
    log_.error(node.at,
               (element ? "an element of " : "") + quote(key_.name) + " must be " + with_article(type_name(wanted)) +
                   ", not " + with_article(node_type_name(node)),
               expected(key_));
    return false;
  }

  bool ranged(const Node& node, double value) {
    if (in_range(key_, value)) return true;
    std::string spelled =
        std::holds_alternative<int64_t>(node.value) ? std::to_string(std::get<int64_t>(node.value)) : to_toml(value);
    const bool element = key_.type == Type::integers || key_.type == Type::numbers;
    log_.error(node.at, (element ? "an element of " : "") + quote(key_.name) + " is out of range: " + spelled,
               "allowed: " + range_text(key_));
    return false;
  }

  const Key& key_;
  Log& log_;
};

template <class T>
std::optional<Value> read_as(const Node& node, const Key& key, Log& log) {
  T value{};
  return Reader(key, log).read(node, &value) ? std::optional<Value>(std::move(value)) : std::nullopt;
}

}  // namespace

std::string expected(const Key& key) {
  std::string text = "expected: " + std::string(type_name(key.type));
  if (const std::string range = range_text(key); !range.empty())
    text += " " + range;
  else if (!key.unit.empty())
    text += " (" + key.unit + ")";
  if (!key.choices.empty()) text += ", one of " + join(key.choices, 24);
  return text;
}

std::optional<Value> read_value(const Node& node, const Key& key, Log& log) {
  switch (key.type) {
    case Type::boolean:
      return read_as<bool>(node, key, log);
    case Type::integer:
      return read_as<int64_t>(node, key, log);
    case Type::number:
      return read_as<double>(node, key, log);
    case Type::text:
      return read_as<std::string>(node, key, log);
    case Type::integers:
      return read_as<std::vector<int64_t>>(node, key, log);
    case Type::numbers:
      return read_as<std::vector<double>>(node, key, log);
    case Type::texts:
      return read_as<std::vector<std::string>>(node, key, log);
  }
  return std::nullopt;
}

}  // namespace perrin::config
