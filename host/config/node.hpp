// The TOML tree with places: what parse, include and --set work on. Internal to host/config.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "host/config/source.hpp"

namespace perrin::config {

struct Node;
struct Entry;
using Array = std::vector<Node>;

// Entries in the order of the file.
struct Table {
  std::vector<Entry> entries;

  Entry* find(std::string_view name);
  const Entry* find(std::string_view name) const;
};

struct DateTime {};  // TOML has dates, experiments do not

struct Node {
  std::variant<bool, int64_t, double, std::string, DateTime, Array, Table> value;
  Location at;

  Table* table() { return std::get_if<Table>(&value); }
  const Table* table() const { return std::get_if<Table>(&value); }
  Array* array() { return std::get_if<Array>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
};

struct Entry {
  std::string name;
  Location at;  // of the key
  Node node;
  bool stale = false;  // written for a component that a later layer replaced by another `use`
};

// "text", "list", "table", ... : the TOML side of a type mismatch.
std::string_view node_type_name(const Node& node);

// Puts `entry` into `table`, over one of the same name. A changed `use` makes the keys of earlier layers stale.
void assign(Table& table, Entry entry);

// `over` wins; tables merge, everything else is replaced.
void merge(Table& base, Table over);

}  // namespace perrin::config
