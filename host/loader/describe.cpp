#include "host/loader/describe.hpp"

#include <algorithm>
#include <set>

#include "host/base/error.hpp"
#include "host/config/parse.hpp"
#include "host/config/schema_problems.hpp"
#include "host/config/text.hpp"
#include "host/loader/breadcrumb.hpp"
#include "host/loader/compatible.hpp"

namespace perrin::loader {
namespace {

using config::Node;
using config::Type;
using config::Value;

constexpr uint64_t kLongestId = 64, kLongestName = 64, kLongestText = 4096;  // bytes
constexpr uint32_t kMostKeys = 1000, kMostChoices = 1000;

// A text of the plugin's, cut where no real one ends; NULL is empty.
std::string copy(perrin_text text) {
  return text.data == nullptr ? "" : std::string(text.data, std::min(text.size, kLongestText + 1));
}

// Why nobody can print or write it; "" for a plain text.
std::string text_fault(const std::string& text, uint64_t longest = kLongestText) {
  if (text.size() > longest) return "is longer than " + std::to_string(longest) + " bytes";
  if (!config::is_utf8(text)) return "is no UTF-8";
  return config::printable(text) == text ? "" : "has control characters";
}

bool all_of(const std::string& text, std::string_view others, bool upper) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z') ||
           others.find(c) != std::string_view::npos;
  });
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  for (size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
    size_t end = std::min(text.find(' ', at), text.size());
    list.push_back(text.substr(at, end - at));
    at = end;
  }
  return list;
}

std::optional<Value> scalar(const Node& node, Type type) {
  if (type == Type::number)
    if (auto* whole = std::get_if<int64_t>(&node.value)) return static_cast<double>(*whole);
  return std::visit(
      [&](const auto& held) -> std::optional<Value> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_constructible_v<Value, T> && !std::is_same_v<T, config::Array>) {
          Value value = held;
          if (static_cast<Type>(value.index()) == type) return value;
        }
        return std::nullopt;
      },
      node.value);
}

template <class T>
std::optional<Value> list(const Node& node, Type element) {
  const auto* array = node.array();
  if (array == nullptr) return std::nullopt;
  std::vector<T> values;
  for (const Node& each : *array) {
    auto value = scalar(each, element);
    if (!value) return std::nullopt;
    values.push_back(std::get<T>(*value));
  }
  return values;
}

// A TOML literal of this type.
std::optional<Value> parse_literal(const std::string& literal, Type type) {
  auto parsed = config::parse_toml("value = " + literal, "default");
  const auto* table = std::get_if<config::Table>(&parsed);
  if (table == nullptr || table->entries.size() != 1) return std::nullopt;
  const Node& node = table->entries[0].node;
  switch (type) {
    case Type::integers:
      return list<int64_t>(node, Type::integer);
    case Type::numbers:
      return list<double>(node, Type::number);
    case Type::texts:
      return list<std::string>(node, Type::text);
    default:
      return scalar(node, type);
  }
}

// PERRIN_BOOLEAN .. PERRIN_STRINGS stand in the order of config::Type.
static_assert(PERRIN_BOOLEAN == 1u + unsigned(Type::boolean) && PERRIN_NUMBER == 1u + unsigned(Type::number) &&
              PERRIN_STRINGS == 1u + unsigned(Type::texts));

class Describer {
 public:
  explicit Describer(const Library& library) : library_(library) {}

  std::vector<config::Factory> run() {
    for (const auto& kind : known_kinds()) {
      std::set<std::string> ids;
      for (const perrin_component* component : library_.components(kind)) add(kind, component, ids);
    }
    if (factories_.empty() && problems_.empty())
      problems_ = "\n  - it offers no component of a kind that this host knows";
    if (!problems_.empty())
      throw Error("its components are not described correctly:" + problems_, library_.file,
                  "report it to the plugin's author");
    return std::move(factories_);
  }

 private:
  void problem(const std::string& text) { problems_ += "\n  - " + text; }

  void add(const std::string& kind, const perrin_component* component, std::set<std::string>& ids) {
    Inside mark(library_.crumb, nullptr, "its component descriptors");
    if (component == nullptr || !PERRIN_HAS(component, perrin_component, destroy))
      return problem("a " + kind + "'s perrin_component is missing or too small");
    config::Factory factory{kind,
                            copy(component->id),
                            copy(component->version),
                            copy(component->doc),
                            library_.file,
                            {},
                            words(copy(component->aliases)),
                            {}};
    factory.tier = tier_name(library_.note.tier);
    const std::string who = kind + " " + config::quote(factory.id, 80);
    if (component->n_keys > kMostKeys)
      return problem(who + " has " + std::to_string(component->n_keys) + " keys; at most " + std::to_string(kMostKeys) +
                     " are possible");
    if (factory.version.empty()) problem(who + " has no version");
    if (component->table == nullptr || component->create == nullptr || component->destroy == nullptr)
      problem(who + " lacks its table, create or destroy");
    if (component->n_keys != 0 && component->keys == nullptr) return problem(who + " lacks its keys");
    if (component->doc.data == nullptr && component->doc.size > 0) problem(who + " has a doc that is NULL");
    check_text(who + ": its version", factory.version);
    check_text(who + ": its doc", factory.doc);
    check_ids(who, factory, ids);
    for (uint32_t i = 0; i < component->n_keys; ++i) add_key(who, component->keys[i], factory);
    for (const auto& fault : config::schema_problems(factory)) problem(fault);
    factories_.push_back(std::move(factory));
  }

  void check_ids(const std::string& who, const config::Factory& factory, std::set<std::string>& ids) {
    check_id(who, factory.id);
    for (const auto& alias : factory.aliases) check_id(who + ", its alias", alias);
    if (!ids.insert(factory.id).second) problem(who + " is there twice");
    for (const auto& alias : factory.aliases)
      if (!ids.insert(alias).second) problem(who + " has the alias " + alias + ", which is taken");
  }

  void check_text(const std::string& what, const std::string& text, uint64_t longest = kLongestText) {
    if (const std::string fault = text_fault(text, longest); !fault.empty()) problem(what + " " + fault);
  }

  // What stands behind `use =`, in file names and in messages.
  void check_id(const std::string& who, const std::string& id) {
    if (id.size() > kLongestId || !all_of(id, ".+_-", false))
      problem(who + " has the id " + config::quote(id, 80) + "; an id has at most " + std::to_string(kLongestId) +
              " of a-z 0-9 . + _ -");
  }

  void add_key(const std::string& who, const perrin_key& from, config::Factory& factory) {
    if (!PERRIN_HAS(&from, perrin_key, alias)) return problem(who + " has a perrin_key that is too small");
    config::Key key;
    key.name = copy(from.name);
    key.alias = copy(from.alias);
    for (const std::string& name : {key.name, key.alias})
      if (!name.empty() && (name.size() > kLongestName || !all_of(name, "_-", true)))
        return problem(who + ": key " + config::quote(name, 80) + " is no bare TOML key of at most " +
                       std::to_string(kLongestName) + " of A-Z a-z 0-9 _ -");
    if (from.type < PERRIN_BOOLEAN || from.type > PERRIN_STRINGS)
      return problem(who + ": key \"" + key.name + "\" has the unknown type " + std::to_string(from.type));
    key.type = static_cast<Type>(from.type - PERRIN_BOOLEAN);
    key.required = from.flags & PERRIN_KEY_REQUIRED;
    key.deprecated = from.flags & PERRIN_KEY_DEPRECATED;
    if (from.flags & PERRIN_KEY_MIN) key.min = from.min;
    if (from.flags & PERRIN_KEY_MAX) key.max = from.max;
    key.min_exclusive = from.flags & PERRIN_KEY_MIN_EXCLUSIVE;
    key.max_exclusive = from.flags & PERRIN_KEY_MAX_EXCLUSIVE;
    if (from.n_choices > kMostChoices || (from.n_choices > 0 && from.choices == nullptr))
      return problem(who + ": key \"" + key.name + "\" has " + std::to_string(from.n_choices) + " choices, or none at NULL");
    for (uint32_t i = 0; i < from.n_choices; ++i) key.choices.push_back(copy(from.choices[i]));
    key.unit = copy(from.unit), key.doc = copy(from.doc), key.since = copy(from.since);
    for (const std::string& text : {key.unit, key.doc, key.since}) check_text(who + ": a text of key \"" + key.name + "\"", text);
    for (const std::string& choice : key.choices) check_text(who + ": a choice of key \"" + key.name + "\"", choice);
    if (const std::string literal = copy(from.default_value); !literal.empty()) {
      key.default_value = parse_literal(literal, key.type);
      if (!key.default_value)
        problem(who + ": key \"" + key.name + "\" has the default " + literal + ", which is no " +
                std::string(config::type_name(key.type)));
    }
    factory.keys.push_back(std::move(key));
  }

  const Library& library_;
  std::vector<config::Factory> factories_;
  std::string problems_;
};

}  // namespace

std::vector<config::Factory> describe(const Library& library) { return Describer(library).run(); }

}  // namespace perrin::loader
