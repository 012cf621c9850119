// What can be named in an experiment: factories and the keys that each accepts. The loader's index fills it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/value.hpp"

namespace perrin::config {

// One key of a schema. For lists, min, max and choices hold for each element.
struct Key {
  std::string name;
  Type type = Type::text;
  bool required = false;    // excludes default_value
  bool deprecated = false;  // accepted with a warning that ends with `doc`
  std::optional<Value> default_value = {};
  std::optional<double> min = {}, max = {};
  bool min_exclusive = false, max_exclusive = false;
  std::vector<std::string> choices = {};  // empty: any text
  std::string unit = {}, doc = {}, since = {};
  std::string alias = {};  // second name, resolved to `name`
};

// One component that a library offers. `id` is unique within `kind`.
struct Factory {
  std::string kind, id, version, doc;
  std::string library;  // file that offers it
  std::string tier;     // "A" or "B"
  std::vector<std::string> aliases;
  std::vector<Key> keys;
};
using Catalogue = std::vector<Factory>;

// The factory whose id or alias is `name`, or null.
const Factory* find_factory(const Catalogue& catalogue, std::string_view kind, std::string_view name);

// Ids of a kind, sorted.
std::vector<std::string> ids_of_kind(const Catalogue& catalogue, std::string_view kind);

// The key named or aliased `name`, or null.
const Key* find_key(const std::vector<Key>& keys, std::string_view name);

// The allowed interval in words with its unit ("> 0, < 1 s"); empty without bounds.
std::string range_text(const Key& key);
bool in_range(const Key& key, double value);

// The one JSON form: index cache, probe, `plugin show --json`. Reading malformed JSON throws perrin::Error.
nlohmann::json to_json(const Value& value);
nlohmann::json to_json(const Factory& factory);
nlohmann::json to_json(const std::vector<Key>& keys);
Factory factory_from_json(const nlohmann::json& json);

}  // namespace perrin::config
