#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/base/error.hpp"
#include "host/base/printable.hpp"
#include "host/config/host_tables.hpp"
#include "host/config/suggest.hpp"
#include "host/console/table.hpp"
#include "host/console/terminal.hpp"
#include "host/loader/index.hpp"
#include "host/loader/registry.hpp"

namespace perrin::app {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

constexpr int unlimited = 1 << 20;  // columns: what a file or another program reads is never cut

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void check_kind(const std::string& kind) {
  const auto& kinds = loader::known_kinds();
  if (kind.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return;
  throw Error("there is no kind \"" + kind + "\"", "perrin plugin list", config::suggestion(kind, kinds), Exit::usage);
}

json library_json(const loader::Listed& library) {
  json entry = {
      {"file", library.file}, {"sha256", library.sha256}, {"tier", library.tier}, {"usable", !library.problem}};
  if (library.problem) entry["problem"] = {{"what", library.problem->what}, {"fix", library.problem->fix}};
  return entry;
}

void print_json(const loader::Index& index, const std::string& kind) {
  json out = {{"components", json::array()}, {"libraries", json::array()}};
  for (const auto& library : index.libraries()) {
    out["libraries"].push_back(library_json(library));
    for (const auto& factory : library.components)
      if (kind.empty() || factory.kind == kind) out["components"].push_back(config::to_json(factory));
  }
  std::cout << json_text(out, 2);
}

void print_list(const loader::Index& index, const std::string& kind) {
  std::vector<Row> rows;
  for (const auto& library : index.libraries())
    for (const auto& factory : library.components)
      if (!library.problem && (kind.empty() || factory.kind == kind))
        rows.push_back(
            {one_line(factory.id), factory.kind, one_line(factory.version), factory.tier, base_name(library.file)});
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a[1] < b[1]; });
  console::Table table({"NAME", "KIND", "VERSION", "TIER", "FILE"});
  for (Row& row : rows) table.add(std::move(row));
  const auto terminal = console::Terminal::of(STDOUT_FILENO);
  std::cout << table.text(terminal.tty ? terminal.width : unlimited);
  for (const auto& library : index.libraries())
    if (library.problem)
      std::cout << "unusable: " << library.file << ": " << one_line(library.problem->what)
                << "\n  fix: " << one_line(library.problem->fix) << "\n";
  for (const auto& twice : index.conflicts()) std::cout << "unusable: " << one_line(twice) << "\n";
}

std::string value_text(const std::optional<config::Value>& value) { return value ? config::to_toml(*value) : "none"; }

void print_key(const config::Key& key) {
  std::cout << "\n  " << one_line(key.name) << " : " << config::type_name(key.type);
  std::cout << (key.required ? ", required" : ", default " + value_text(key.default_value));
  if (!key.unit.empty()) std::cout << " " << one_line(key.unit);
  std::cout << (key.deprecated ? ", deprecated" : "") << "\n      " << one_line(key.doc) << "\n";
  if (auto range = config::range_text(key); !range.empty()) std::cout << "      range: " << range << "\n";
  if (!key.choices.empty()) {
    std::cout << "      one of:";
    for (const auto& choice : key.choices) std::cout << " " << one_line(choice);
    std::cout << "\n";
  }
  if (!key.alias.empty()) std::cout << "      also: " << one_line(key.alias) << "\n";
  if (!key.since.empty()) std::cout << "      since: " << one_line(key.since) << "\n";
}

void print_factory(const config::Factory& factory, const loader::Index& index) {
  std::cout << one_line(factory.id) << "  (" << factory.kind << " " << one_line(factory.version) << ", tier "
            << factory.tier << ")\n"
            << one_line(factory.doc) << "\nfile: " << factory.library << "\n";
  for (const auto& library : index.libraries())
    if (library.file == factory.library) std::cout << "sha256: " << library.sha256 << "\n";
  if (!factory.aliases.empty()) {
    std::cout << "also:";
    for (const auto& alias : factory.aliases) std::cout << " " << one_line(alias);
    std::cout << "\n";
  }
  std::cout << (factory.keys.empty() ? "It has no keys.\n" : "keys:\n");
  for (const auto& key : factory.keys) print_key(key);
  const std::vector<config::Key> host = config::host_keys(factory);
  if (!host.empty()) std::cout << "\nkeys that Perrin reads in the same table:\n";
  for (const auto& key : host) print_key(key);
}

// Components of this id or alias; an id may exist in several kinds.
std::vector<config::Factory> with_id(const config::Catalogue& catalogue, const std::string& id) {
  std::vector<config::Factory> found;
  for (const auto& factory : catalogue)
    if (factory.id == id || std::count(factory.aliases.begin(), factory.aliases.end(), id) != 0)
      found.push_back(factory);
  return found;
}

[[noreturn]] void unknown(const config::Catalogue& catalogue, const std::string& id, const loader::Index& index) {
  std::vector<std::string> ids;
  for (const auto& factory : catalogue) ids.push_back(factory.id);
  auto nearest = config::nearest(id, ids);
  std::string fix = nearest.empty() ? "`perrin plugin list` shows all" : "did you mean \"" + nearest + "\"?";
  if (auto unusable = index.unusable_text(); !unusable.empty()) fix += "\n  these plugins cannot be used: " + unusable;
  throw Error("there is no component \"" + id + "\"", "perrin plugin show", fix, Exit::usage);
}

}  // namespace

Command plugin_list_options() {
  Command c("plugin list", {}, "Lists every component that the plugins offer.", "perrin plugin list --kind sampler");
  c.add("kind", text("KIND")->default_value(""), "only this kind");
  return c;
}

int plugin_list_command(const std::vector<std::string>& arguments) {
  const auto values = parse(plugin_list_options(), arguments);
  if (!values) return 0;
  const auto kind = (*values)["kind"].as<std::string>();
  check_kind(kind);
  std::cerr << loader::cache_note();
  const auto index = loader::Index::scan();
  values->count("json") ? print_json(index, kind) : print_list(index, kind);
  return 0;
}

Command plugin_show_options() {
  return {"plugin show",
          {"ID"},
          "Shows a component's schema: types, defaults, ranges, units, docs.",
          "perrin plugin show cosine"};
}

int plugin_show_command(const std::vector<std::string>& arguments) {
  const Command command = plugin_show_options();
  const auto values = parse(command, arguments);
  if (!values) return 0;
  const auto id = required(command, *values, "ID");
  std::cerr << loader::cache_note();
  auto index = loader::Index::scan();
  const auto catalogue = index.catalogue();
  const auto found = with_id(catalogue, id);
  if (found.empty()) unknown(catalogue, id, index);
  for (const auto& factory : found) index.require(factory.kind, factory.id);
  if (values->count("json")) {
    json out = {{"components", json::array()}};
    for (const auto& factory : found) {
      out["components"].push_back(config::to_json(factory));
      out["components"].back()["host_keys"] = config::to_json(config::host_keys(factory));
    }
    std::cout << json_text(out, 2);
  } else {
    for (size_t i = 0; i < found.size(); ++i) {
      if (i != 0) std::cout << "\n";
      print_factory(found[i], index);
    }
  }
  return 0;
}

}  // namespace perrin::app
