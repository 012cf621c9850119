#include "host/app/front/help.hpp"

#include <algorithm>
#include <iostream>

#include "host/app/front/manual.hpp"
#include "host/app/front/option_list.hpp"
#include "host/app/json_text.hpp"
#include "host/base/error.hpp"

namespace perrin::app {
namespace {

// "  run         train ..." for each name.
std::string lines(const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& [name, summary] : rows) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, summary] : rows)
    text += "  " + name + std::string(width + 2 - name.size(), ' ') + summary + "\n";
  return text;
}

nlohmann::ordered_json as_json(const Row& row) {
  const Command command = row.options();
  nlohmann::ordered_json out = {{"name", row.name},
                                {"summary", row.summary},
                                {"usage", command.usage()},
                                {"description", command.summary},
                                {"example", command.example},
                                {"positional", command.positional},
                                {"options", nlohmann::ordered_json::array()}};
  for (const Option& o : option_list(command))
    out["options"].push_back(
        {{"name", o.name}, {"value", o.value}, {"default", o.fallback}, {"repeatable", o.repeatable}, {"doc", o.doc}});
  return out;
}

// Those of a group, the one that is named, or all.
std::string json_of(const std::string& name) {
  nlohmann::ordered_json out = {{"commands", nlohmann::ordered_json::array()}};
  for (const Row& row : commands())
    if (row.options && (name.empty() || row.name == name || row.name.starts_with(name + " ")))
      out["commands"].push_back(as_json(row));
  return json_text(out, 2);
}

}  // namespace

std::string overview() {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Row& row : commands())
    if (row.name.find(' ') == std::string::npos) rows.emplace_back(row.name, row.summary);
  return "perrin: diffusion experiments composed of plugins\n\nusage: perrin COMMAND [options]\n\n" + lines(rows) +
         "\n`perrin help COMMAND`, or `perrin COMMAND --help`, shows a command's options and an example.\n"
         "example: perrin run experiments/quickstart.toml\n";
}

std::string group_help(const Row& group) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::string example;
  for (const Row& row : commands()) {
    if (!group.leads(row)) continue;
    if (example.empty()) example = row.options().example;
    rows.emplace_back(row.name.substr(group.name.size() + 1), row.summary);
  }
  return "perrin " + group.name + ": " + group.summary + "\n\nusage: perrin " + group.name + " COMMAND [options]\n\n" +
         lines(rows) + "\n`perrin " + group.name + " COMMAND --help` shows its options.\nexample:\n  " + example + "\n";
}

Command help_options() {
  Command c("help", {"[COMMAND]", "[ACTION]"},
            "Shows a command's options and an example, or all commands; with --json the whole table.",
            "perrin help sample");
  c.add_flag("man", "print the manual page, perrin.1");
  return c;
}

int help_command(const std::vector<std::string>& arguments) {
  const auto values = parse(help_options(), arguments);
  if (!values) return 0;
  std::vector<std::string> words;
  for (const char* name : {"[COMMAND]", "[ACTION]"})
    if (values->count(name)) words.push_back((*values)[name].as<std::string>());
  if (values->count("man")) return std::cout << manual_page(), 0;
  const Row* row = nullptr;
  if (!words.empty()) {
    const Found found = find_command(words);
    row = &found.row;
    if (!found.rest.empty())
      throw Error("\"" + row->name + "\" has no commands of its own", "perrin help",
                  "see `perrin help " + row->name + "`", Exit::usage);
  }
  if (values->count("json")) return std::cout << json_of(row ? row->name : ""), 0;
  std::cout << (!row ? overview() : row->options ? row->options().help() : group_help(*row));
  return 0;
}

}  // namespace perrin::app
