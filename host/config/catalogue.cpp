#include "host/config/catalogue.hpp"

#include <algorithm>
#include <cmath>

namespace perrin::config {
namespace {

std::string bound_text(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  return value == std::trunc(value) && std::abs(value) < kExact ? std::to_string(static_cast<int64_t>(value))
                                                                : to_toml(value);
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

}  // namespace perrin::config
