#include "host/config/parse.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32

// toml++ (3.3, 3.4) asserts on malformed input, for example on "[" at the end of a line, and under NDEBUG tells the
// optimizer that the assertion holds, which is undefined behaviour; the parser's own checks behind it are right.
#define TOML_ASSERT(expr) static_cast<void>(0)
#if __has_include(<toml++/impl/preprocessor.hpp>)
#include <toml++/impl/preprocessor.hpp>
#else
#include <toml++/impl/preprocessor.h>
#endif
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#if TOML_LIB_MAJOR < 3
#error "Perrin needs toml++ 3.0 or newer: older ones do not keep the places of keys"
#endif

namespace perrin::config {
namespace {

class Converter {
 public:
  explicit Converter(const std::string& file) : file_(file) {}

  Location location(const toml::source_region& region) const {
    Location at{file_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column), 1};
    if (region.end.line == region.begin.line && region.end.column > region.begin.column)
      at.length = static_cast<int>(region.end.column - region.begin.column);
    return at;
  }

  Table convert(const toml::table& from) const {
    Table table;
    for (auto&& [key, node] : from)
      table.entries.push_back({std::string(key.str()), location(key.source()), convert(node), false});
    auto before = [](const Entry& a, const Entry& b) {
      return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
    };
    std::stable_sort(table.entries.begin(), table.entries.end(), before);
    return table;
  }

 private:
  Array convert(const toml::array& from) const {
    Array array;
    for (const toml::node& node : from) array.push_back(convert(node));
    return array;
  }

  Node convert(const toml::node& from) const {
    Node node{DateTime{}, location(from.source())};
    if (auto* table = from.as_table()) node.value = convert(*table);
    if (auto* array = from.as_array()) node.value = convert(*array);
    if (auto* text = from.as_string()) node.value = text->get();
    if (auto* integer = from.as_integer()) node.value = integer->get();
    if (auto* number = from.as_floating_point()) node.value = number->get();
    if (auto* boolean = from.as_boolean()) node.value = boolean->get();
    return node;
  }

  const std::string& file_;
};

}  // namespace

std::variant<Table, SyntaxFault> parse_toml(std::string_view text, const std::string& file) {
  if (auto bad = find_bad_utf8(text, file))
    return SyntaxFault{*bad, "TOML syntax: this byte is not UTF-8", "save the file as UTF-8"};
  if (auto fault = scan_toml(text, file)) return *fault;
  const Converter converter(file);
  const toml::parse_result result = toml::parse(text);
  if (result) return converter.convert(result.table());
  const toml::parse_error& fault = result.error();
  return explain_syntax(text, converter.location(fault.source()), fault.description());
}

}  // namespace perrin::config
