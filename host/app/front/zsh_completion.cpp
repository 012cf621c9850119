#include "host/app/commands.hpp"
#include "host/app/front/completion.hpp"
#include "host/app/front/option_list.hpp"

namespace perrin::app {
namespace {

constexpr const char* kBegin = R"sh(#compdef perrin
# zsh completion for perrin, made by `perrin completion zsh`.

_perrin_ids() {
  local -a ids
  ids=(${(f)"$(perrin plugin list "$@" 2>/dev/null | awk 'NR > 1 && /^[^ ]/ && $1 != "unusable:" {print $1}')"})
  compadd -a ids
}

_perrin() {
  local command=$words[2]
  local -a names
)sh";

// Read from $fpath it completes; sourced it tells zsh of itself.
constexpr const char* kEnd = R"sh(  esac
}

if [[ $funcstack[1] == _perrin ]]; then _perrin "$@"; else compdef _perrin perrin; fi
)sh";

// With a backslash before what has a meaning for _arguments and _describe.
std::string escaped(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) out += (special.find(c) == std::string::npos ? "" : "\\") + std::string(1, c);
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// ":FILE:_files", a value and how it is completed.
std::string value_text(const std::string& value) {
  const Offer offer = offer_of(value);
  std::string action = offer.words.empty() ? " " : "(" + joined(offer.words) + ")";
  if (offer.files) action = "_files";
  if (offer.folders) action = "_files -/";
  if (offer.ids) action = " _perrin_ids" + *offer.ids;  // the space: with these arguments alone
  return ":" + escaped(value, ":\\") + ":" + action;
}

std::string option_text(const Option& option) {
  const std::string name = (option.repeatable ? "*--" : "--") + option.name;
  const std::string doc = "[" + escaped(option.doc, "[]\\") + "]";
  return " \\\n        " + quoted(option.value.empty() ? name + doc : name + "=" + doc + value_text(option.value));
}

std::string command_text(const Command& command) {
  const std::string words = command.name.find(' ') == std::string::npos ? "1" : "2";
  std::string text =
      "    '" + command.name + "')\n      shift " + words + " words; (( CURRENT -= " + words + " ))\n      _arguments";
  for (const Option& option : option_list(command)) text += option_text(option);
  for (size_t i = 0; i < command.positional.size(); ++i) {
    const std::string& name = command.positional[i];
    text += " \\\n        " + quoted(std::to_string(i + 1) + (name[0] == '[' ? ":" : "") + value_text(name));
  }
  return text + " ;;\n";
}

// Names and what they do, as _describe takes them.
std::string described(const std::vector<std::pair<std::string, std::string>>& rows, const std::string& indent) {
  std::string text = indent + "names=(";
  for (const auto& [name, summary] : rows) text += "\n" + indent + "  " + quoted(name + ":" + escaped(summary, "\\"));
  return text + ")\n" + indent + "_describe command names\n";
}

}  // namespace

std::string zsh_completion() {
  std::vector<std::pair<std::string, std::string>> first;
  std::string groups, text;
  for (const Row& row : commands()) {
    if (row.name.find(' ') == std::string::npos) first.emplace_back(row.name, row.summary);
    if (row.options) {
      text += command_text(row.options());
      continue;
    }
    groups += (groups.empty() ? "" : "|") + row.name;
    std::vector<std::pair<std::string, std::string>> actions;
    for (const Row& other : commands())
      if (row.leads(other)) actions.emplace_back(other.name.substr(row.name.size() + 1), other.summary);
    text += "    '" + row.name + " ')\n" + described(actions, "      ") + "      ;;\n";
  }
  return std::string(kBegin) + "  if (( CURRENT == 2 )); then\n" + described(first, "    ") +
         "    return\n  fi\n  if [[ $command == (" + groups +
         ") ]]; then\n    if (( CURRENT == 3 )); then command+=' '; else command+=\" $words[3]\"; fi\n  fi\n"
         "  case $command in\n" +
         text + kEnd;
}

}  // namespace perrin::app
