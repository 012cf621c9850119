#include "host/app/commands.hpp"
#include "host/app/front/completion.hpp"
#include "host/app/front/option_list.hpp"

namespace perrin::app {
namespace {

// All see $word, the word to complete. IDs are asked of the program that is being typed.
constexpr const char* kBegin = R"sh(# bash completion for perrin, made by `perrin completion bash`.

_perrin_words() { COMPREPLY=($(compgen -W "$*" -- "$word")); }
_perrin_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}
_perrin_ids() {
  _perrin_words "$("${COMP_WORDS[0]}" plugin list "$@" 2>/dev/null | awk 'NR > 1 && /^[^ ]/ && $1 != "unusable:" {print $1}')"
}

_perrin() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $word == '=' ]]; then  # --option=
    word=
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
)sh";

constexpr const char* kEnd = R"sh(  esac
}

complete -F _perrin perrin
)sh";

std::string offer_call(const std::string& value) {
  const Offer offer = offer_of(value);
  if (offer.files) return "_perrin_files -f";
  if (offer.folders) return "_perrin_files -d";
  if (offer.ids) return "_perrin_ids" + *offer.ids;
  return offer.words.empty() ? "" : "_perrin_words " + joined(offer.words);
}

// "    case $before in ... esac": what follows an option that takes a value.
std::string values_text(const std::vector<Option>& all) {
  std::string text;
  for (const Option& option : all) {
    if (option.value.empty()) continue;
    const std::string call = offer_call(option.value);
    text += "        --" + option.name + ") " + (call.empty() ? "" : call + "; ") + "return ;;\n";
  }
  return text.empty() ? "" : "      case $before in\n" + text + "      esac\n";
}

std::string command_text(const Command& command) {
  const std::vector<Option> all = option_list(command);
  std::string options, rest;
  for (const Option& option : all) options += " --" + option.name;
  for (const std::string& name : command.positional) {
    const std::string call = offer_call(name);
    if (rest.empty() && !call.empty()) rest = call;
  }
  std::string text = "    '" + command.name + "')\n" + values_text(all);
  if (rest.empty()) return text + "      _perrin_words" + options + " ;;\n";
  return text + "      if [[ $word == -* ]]; then _perrin_words" + options + "; else " + rest + "; fi ;;\n";
}

}  // namespace

std::string bash_completion() {
  std::string first, groups, text;
  for (const Row& row : commands()) {
    if (row.name.find(' ') == std::string::npos) first += " " + row.name;
    if (row.options) {
      text += command_text(row.options());
      continue;
    }
    groups += (groups.empty() ? "" : " | ") + row.name;
    std::string actions;
    for (const Row& other : commands())
      if (row.leads(other)) actions += " " + other.name.substr(row.name.size() + 1);
    text += "    '" + row.name + " ') _perrin_words" + actions + " --help ;;\n";
  }
  return std::string(kBegin) + "  if ((COMP_CWORD == 1)); then\n    _perrin_words" + first +
         " --help --version\n    return\n  fi\n  case $command in\n    " + groups +
         ")\n      if ((COMP_CWORD == 2)); then command+=' '; else command+=\" ${COMP_WORDS[2]}\"; fi ;;\n  esac\n"
         "  case $command in\n" +
         text + kEnd;
}

}  // namespace perrin::app
