#include <algorithm>
#include <charconv>

#include "host/config/host_tables.hpp"
#include "host/config/set.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

using Parts = std::vector<PathPart>;

// What an entry of an array of tables is called: name, else use, else the default that its array gives it.
std::string entry_name(const Node& node, std::string_view otherwise) {
  for (const char* key : {"name", "use"})
    if (const Entry* entry = node.table()->find(key); entry && entry->node.text()) return *entry->node.text();
  return std::string(otherwise);
}

bool is_index(const std::string& text) {
  return text.size() < 10 && !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Setter {
 public:
  Setter(Override override, Log& log) : path_(std::move(override.path)), value_(std::move(override.value)), log_(log) {}

  // Sets path_[at..] inside `table`.
  void set(Table& table, size_t at) {
    const PathPart& part = path_[at];
    if (at + 1 == path_.size()) return assign(table, {part.name, part.at, std::move(value_), false});
    Entry* entry = table.find(part.name);
    if (entry == nullptr) {
      table.entries.push_back({part.name, part.at, fresh(part), false});
      entry = &table.entries.back();
    }
    if (entry->node.table()) return set(*entry->node.table(), at + 1);
    if (entry->node.array() && all_tables(*entry->node.array())) return set_in(*entry->node.array(), at + 1);
    log_.error(part.at,
               quote(part.name) + " is " + with_article(node_type_name(entry->node)) + ", it has no keys of its own");
  }

 private:
  static bool all_tables(const Array& array) {
    return std::all_of(array.begin(), array.end(), [](const Node& node) { return node.table() != nullptr; });
  }

  // [[stage]] and [[stage.loss]] are arrays; everything else that is missing is a table.
  static Node fresh(const PathPart& part) {
    if (part.name != "stage" && part.name != "loss") return {Table{}, part.at};
    return {Array(1, Node{Table{}, part.at}), part.at};
  }

  // Sets path_[at..] in the entry of `array` that the path names.
  void set_in(Array& array, size_t at) {
    const std::string_view fallback = path_[at - 1].name == "stage" ? kDefaultStage : kDefaultLoss;
    if (array.empty()) array.push_back(Node{Table{}, path_[at - 1].at});
    for (size_t end = at + 1; end < path_.size(); ++end) {
      if (Node* node = find(array, joined(at, end), fallback)) return set(*node->table(), end);
    }
    if (at + 1 < path_.size() && is_index(path_[at].name)) {
      size_t index = 0;
      std::from_chars(path_[at].name.data(), path_[at].name.data() + path_[at].name.size(), index);
      if (index < array.size()) return set(*array[index].table(), at + 1);
    } else if (array.size() == 1) {
      return set(*array[0].table(), at);
    }
    unaddressed(array, at, fallback);
  }

  std::string joined(size_t from, size_t to) const {
    std::string name = path_[from].name;
    for (size_t i = from + 1; i < to; ++i) name += "." + path_[i].name;
    return name;
  }

  static Node* find(Array& array, const std::string& name, std::string_view fallback) {
    auto called = [&](const Node& node) { return entry_name(node, fallback) == name; };
    auto found = std::find_if(array.begin(), array.end(), called);
    return found == array.end() ? nullptr : &*found;
  }

  void unaddressed(const Array& array, size_t at, std::string_view fallback) {
    std::vector<std::string> names;
    for (const Node& node : array) names.push_back(entry_name(node, fallback));
    const std::string list = path_[at - 1].name;
    log_.error(
        path_[at].at, "which " + quote(list) + "? there are " + std::to_string(array.size()),
        suggestion(path_[at].name, names, "name one, as in " + printable(list) + "." + printable(names[0]) + ".key") +
            ", or its index from 0");
  }

  Parts path_;
  Node value_;
  Log& log_;
};

}  // namespace

void apply_override(Table& root, Override override, Log& log) {
  if (override.path[0].name == "include") return log.error(override.path[0].at, "\"include\" can only stand in a file");
  Setter(std::move(override), log).set(root, 0);
}

}  // namespace perrin::config
