#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/config/catalogue.hpp"

namespace perrin::config {
namespace {

using nlohmann::json;

// JSON has no infinity: it travels as a text.
json number_to_json(double value) {
  if (std::isfinite(value)) return value;
  return value > 0 ? "inf" : "-inf";
}

double number_from_json(const json& from) {
  if (!from.is_string()) return from.get<double>();
  const auto text = from.get<std::string>();
  const double infinity = std::numeric_limits<double>::infinity();
  if (text == "inf" || text == "-inf") return text == "inf" ? infinity : -infinity;
  throw Error("not a number: " + text);
}

std::vector<double> numbers_from_json(const json& from) {
  std::vector<double> numbers;
  for (const json& number : from) numbers.push_back(number_from_json(number));
  return numbers;
}

Value value_from_json(Type type, const json& from) {
  switch (type) {
    case Type::boolean:
      return from.get<bool>();
    case Type::integer:
      return from.get<int64_t>();
    case Type::number:
      return number_from_json(from);
    case Type::text:
      return from.get<std::string>();
    case Type::integers:
      return from.get<std::vector<int64_t>>();
    case Type::numbers:
      return numbers_from_json(from);
    case Type::texts:
      return from.get<std::vector<std::string>>();
  }
  return false;
}

json key_to_json(const Key& key) {
  json out = {{"name", key.name}, {"type", type_word(key.type)}, {"doc", key.doc}};
  if (key.required) out["required"] = true;
  if (key.deprecated) out["deprecated"] = true;
  if (key.default_value) out["default"] = to_json(*key.default_value);
  if (key.min) out["min"] = *key.min;
  if (key.max) out["max"] = *key.max;
  if (key.min_exclusive) out["min_exclusive"] = true;
  if (key.max_exclusive) out["max_exclusive"] = true;
  if (!key.choices.empty()) out["choices"] = key.choices;
  if (!key.unit.empty()) out["unit"] = key.unit;
  if (!key.since.empty()) out["since"] = key.since;
  if (!key.alias.empty()) out["alias"] = key.alias;
  return out;
}

Key key_from_json(const json& from) {
  Key key;
  key.name = from.at("name").get<std::string>();
  if (!type_from_word(from.at("type").get<std::string>(), &key.type)) throw Error("unknown type of key " + key.name);
  key.doc = from.value("doc", "");
  key.required = from.value("required", false);
  key.deprecated = from.value("deprecated", false);
  if (from.contains("default")) key.default_value = value_from_json(key.type, from.at("default"));
  if (from.contains("min")) key.min = from.at("min").get<double>();
  if (from.contains("max")) key.max = from.at("max").get<double>();
  key.min_exclusive = from.value("min_exclusive", false);
  key.max_exclusive = from.value("max_exclusive", false);
  key.choices = from.value("choices", std::vector<std::string>());
  key.unit = from.value("unit", "");
  key.since = from.value("since", "");
  key.alias = from.value("alias", "");
  return key;
}

Factory read_factory(const json& from) {
  Factory factory{from.at("kind").get<std::string>(),
                  from.at("id").get<std::string>(),
                  from.value("version", ""),
                  from.value("doc", ""),
                  from.value("library", ""),
                  from.value("tier", ""),
                  from.value("aliases", std::vector<std::string>()),
                  {}};
  for (const json& key : from.at("keys")) factory.keys.push_back(key_from_json(key));
  return factory;
}

}  // namespace

json to_json(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return number_to_json(*number);
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    json list = json::array();
    for (double number : *numbers) list.push_back(number_to_json(number));
    return list;
  }
  return std::visit([](const auto& held) { return json(held); }, value);
}

json to_json(const std::vector<Key>& keys) {
  json out = json::array();
  for (const Key& key : keys) out.push_back(key_to_json(key));
  return out;
}

json to_json(const Factory& factory) {
  return {{"kind", factory.kind},       {"id", factory.id},     {"version", factory.version},
              {"doc", factory.doc},         {"tier", factory.tier}, {"library", factory.library},
              {"aliases", factory.aliases}, {"keys", to_json(factory.keys)}};
}

Factory factory_from_json(const json& from) {
  try {
    return read_factory(from);
  } catch (const json::exception& fault) {
    throw Error(std::string("not the description of a component: ") + fault.what());
  }
}

}  // namespace perrin::config
