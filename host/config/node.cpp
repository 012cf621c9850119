#include "host/config/node.hpp"

#include <algorithm>

namespace perrin::config {
namespace {

constexpr std::string_view kTypeNames[] = {"boolean", "integer", "number", "text", "date", "list", "table"};

bool same_text(const Node& a, const Node& b) { return a.text() && b.text() && *a.text() == *b.text(); }

// Overrides are newer than any file, so their keys were meant for the new component.
void mark_stale(Table& table) {
  for (Entry& entry : table.entries)
    if (entry.name != "use" && entry.name != "name" && !is_override(entry.at.file)) entry.stale = true;
}

}  // namespace

Entry* Table::find(std::string_view name) {
  auto found = std::find_if(entries.begin(), entries.end(), [name](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

const Entry* Table::find(std::string_view name) const { return const_cast<Table*>(this)->find(name); }

std::string_view node_type_name(const Node& node) { return kTypeNames[node.value.index()]; }

void assign(Table& table, Entry entry) {
  Entry* old = table.find(entry.name);
  if (entry.name == "use" && (old == nullptr || !same_text(old->node, entry.node))) mark_stale(table);
  if (old != nullptr)
    *old = std::move(entry);
  else
    table.entries.push_back(std::move(entry));
}

void merge(Table& base, Table over) {
  auto use = [](const Entry& entry) { return entry.name == "use"; };
  std::stable_partition(over.entries.begin(), over.entries.end(), use);
  for (Entry& entry : over.entries) {
    Entry* old = base.find(entry.name);
    if (old != nullptr && old->node.table() && entry.node.table()) {
      merge(*old->node.table(), std::move(*entry.node.table()));
      old->at = entry.at;
      old->node.at = entry.node.at;
    } else {
      assign(base, std::move(entry));
    }
  }
}

}  // namespace perrin::config
