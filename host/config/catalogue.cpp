#include "host/config/catalogue.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "host/config/host_tables.hpp"

namespace perrin::config {
namespace {

std::string bound_text(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  return value == std::trunc(value) && std::abs(value) < kExact ? std::to_string(static_cast<int64_t>(value))
                                                                : to_toml(value);
}

// Why `value` cannot be the default of `key`; empty when it can.
std::string default_fault(const Key& key) {
  const Value& value = *key.default_value;
  if (value.index() != static_cast<size_t>(key.type)) return "is not a " + std::string(type_name(key.type));
  std::vector<double> numbers;
  std::vector<std::string> texts;
  if (auto* integer = std::get_if<int64_t>(&value)) numbers = {static_cast<double>(*integer)};
  if (auto* number = std::get_if<double>(&value)) numbers = {*number};
  if (auto* list = std::get_if<std::vector<int64_t>>(&value)) numbers.assign(list->begin(), list->end());
  if (auto* list = std::get_if<std::vector<double>>(&value)) numbers = *list;
  if (auto* text = std::get_if<std::string>(&value)) texts = {*text};
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) texts = *list;
  if (!std::all_of(numbers.begin(), numbers.end(), [&](double n) { return in_range(key, n); }))
    return "is out of the key's range " + range_text(key);
  auto allowed = [&](const std::string& text) {
    return key.choices.empty() || std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end();
  };
  return std::all_of(texts.begin(), texts.end(), allowed) ? "" : "is not one of the key's choices";
}

std::string key_fault(const Factory& factory, const Key& key) {
  if (key.name.empty()) return "has no name";
  if (is_reserved_key(factory.kind, key.name) || is_reserved_key(factory.kind, key.alias))
    return "is a key that the host itself reads in every " + factory.kind;
  if (key.doc.empty()) return "has no documentation";
  if (key.required && key.default_value) return "is required and has a default";
  if (key.min && key.max && *key.min > *key.max) return "has min > max";
  const bool textual = key.type == Type::text || key.type == Type::texts;
  if (!key.choices.empty() && !textual) return "has choices but is not text";
  if ((key.min || key.max) && (textual || key.type == Type::boolean)) return "has a range but is not numeric";
  if (!key.default_value) return "";
  std::string fault = default_fault(key);
  return fault.empty() ? "" : "has a default that " + fault;
}

}  // namespace

const Factory* find_factory(const Catalogue& catalogue, std::string_view kind, std::string_view name) {
  for (const Factory& factory : catalogue)
    if (factory.kind == kind && factory.id == name) return &factory;
  for (const Factory& factory : catalogue)
    if (factory.kind == kind &&
        std::find(factory.aliases.begin(), factory.aliases.end(), name) != factory.aliases.end())
      return &factory;
  return nullptr;
}

std::vector<std::string> ids_of_kind(const Catalogue& catalogue, std::string_view kind) {
  std::vector<std::string> ids;
  for (const Factory& factory : catalogue)
    if (factory.kind == kind) ids.push_back(factory.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

const Key* find_key(const std::vector<Key>& keys, std::string_view name) {
  auto named = [&](const Key& key) { return key.name == name || (!key.alias.empty() && key.alias == name); };
  auto found = std::find_if(keys.begin(), keys.end(), named);
  return found == keys.end() ? nullptr : &*found;
}

bool in_range(const Key& key, double value) {
  if (key.min && (key.min_exclusive ? value <= *key.min : value < *key.min)) return false;
  if (key.max && (key.max_exclusive ? value >= *key.max : value > *key.max)) return false;
  return true;
}

std::string range_text(const Key& key) {
  std::string text;
  if (key.min) text = (key.min_exclusive ? "> " : ">= ") + bound_text(*key.min);
  if (key.max)
    text += (text.empty() ? "" : ", ") + std::string(key.max_exclusive ? "< " : "<= ") + bound_text(*key.max);
  if (!text.empty() && !key.unit.empty()) text += " " + key.unit;
  return text;
}

std::vector<std::string> schema_problems(const Factory& factory) {
  std::vector<std::string> problems;
  const std::string who = factory.kind + " \"" + factory.id + "\"";
  if (factory.id.empty() || factory.kind.empty()) problems.push_back(who + " has no id or no kind");
  if (factory.doc.empty()) problems.push_back(who + " has no documentation");
  std::set<std::string> names;
  for (const Key& key : factory.keys) {
    std::string fault = key_fault(factory, key);
    if (!names.insert(key.name).second || (!key.alias.empty() && !names.insert(key.alias).second))
      fault = "is declared twice";
    if (!fault.empty()) problems.push_back(who + ": key \"" + key.name + "\" " + fault);
  }
  return problems;
}

}  // namespace perrin::config
