#include "host/config/schema.hpp"

#include <algorithm>

#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

std::vector<std::string> allowed_names(const Schema& schema) {
  std::vector<std::string> names = schema.other_keys;
  for (const Key& key : schema.keys)
    if (!key.deprecated) names.push_back(key.name);
  std::sort(names.begin(), names.end());
  return names;
}

void unknown_key(const Entry& entry, const Schema& schema, Log& log) {
  const std::string who = quote(entry.name) + " in " + schema.label;
  if (entry.stale) return log.warning(entry.at, "ignored key " + who, "it belongs to the component that was replaced");
  const std::string hint = suggestion(entry.name, allowed_names(schema));
  log.error(entry.at, "unknown key " + who, hint.empty() ? "this component has no keys" : hint);
}

// Where two layers use two names of one key, the newer layer wins: overrides in order, then the file, then what it
// includes.
int64_t precedence(const Location& at, const Log& log) {
  const auto order = static_cast<int64_t>(log.sources().order(at.file));
  return is_override(at.file) ? order : -order;
}

// Whether `entry` is the one that counts; tells when neither of two names does.
bool takes_over(const Entry& entry, const Key& key, const Schema& schema, const Component& into, Log& log) {
  auto other = into.where.find(key.name);
  if (other == into.where.end()) return true;
  const int64_t before = precedence(other->second, log), now = precedence(entry.node.at, log);
  if (before == now)
    log.error(entry.at, quote(key.name) + " and " + quote(key.alias) + " are two names of one key in " + schema.label,
              "keep one of them");
  return now > before;
}

void read_entry(const Entry& entry, const Key& key, const Schema& schema, Component& into, Log& log) {
  if (!takes_over(entry, key, schema, into, log)) return;
  into.where[key.name] = entry.node.at;
  if (key.deprecated)
    log.warning(entry.at, "key " + quote(entry.name) + " in " + schema.label + " is deprecated", key.doc);
  if (auto value = read_value(entry.node, key, log)) into.values[key.name] = std::move(*value);
}

}  // namespace

void read_table(const Table* table, const Schema& schema, Component& into, Log& log) {
  if (table != nullptr) {
    for (const Entry& entry : table->entries) {
      if (std::find(schema.other_keys.begin(), schema.other_keys.end(), entry.name) != schema.other_keys.end())
        continue;
      const Key* key = find_key(schema.keys, entry.name);
      key ? read_entry(entry, *key, schema, into, log) : unknown_key(entry, schema, log);
    }
  }
  for (const Key& key : schema.keys) {
    if (into.where.contains(key.name)) continue;
    if (key.default_value) into.values[key.name] = *key.default_value;
    if (key.required)
      log.error(into.location, "missing key " + quote(key.name) + " in " + schema.label,
                key.doc + "; " + expected(key));
  }
}

}  // namespace perrin::config
