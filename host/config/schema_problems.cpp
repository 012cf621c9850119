#include "host/config/schema_problems.hpp"

#include <algorithm>
#include <set>

#include "host/config/host_tables.hpp"

namespace perrin::config {
namespace {

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
