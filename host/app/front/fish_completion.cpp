#include "host/app/commands.hpp"
#include "host/app/front/completion.hpp"
#include "host/app/front/option_list.hpp"

namespace perrin::app {
namespace {

constexpr const char* kBegin = R"sh(# fish completion for perrin, made by `perrin completion fish`.

# True if the line is `perrin`, these words, and perhaps more.
function __perrin_after
    set -l words (commandline -opc)
    set -l n (count $argv)
    test $n -eq 0; and return
    set -l last (math 1 + $n)
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end

# True if it is these words alone.
function __perrin_at
    test (count (commandline -opc)) -eq (math 1 + (count $argv)); and __perrin_after $argv
end

function __perrin_ids
    perrin plugin list $argv 2>/dev/null | awk 'NR > 1 && /^[^ ]/ && $1 != "unusable:" {print $1}'
end

complete -c perrin -f
complete -c perrin -n __perrin_at -l help -d 'print this and stop'
complete -c perrin -n __perrin_at -l version -d 'print the version'
)sh";

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return out + "'";
}

// After `complete`: what stands for a value. -F: files, -x: nothing but what -a says.
std::string offer_text(const std::string& value, bool option) {
  const Offer offer = offer_of(value);
  if (offer.files) return option ? " -r -F" : " -F";
  const std::string kind = option ? " -x" : "";
  if (offer.folders) return kind + " -a '(__fish_complete_directories)'";
  if (offer.ids) return kind + " -a '(__perrin_ids" + *offer.ids + ")'";
  return kind + (offer.words.empty() ? "" : " -a " + quoted(joined(offer.words)));
}

std::string command_text(const Command& command) {
  const std::string begin = "complete -c perrin -n " + quoted("__perrin_after " + command.name);
  std::string text;
  for (const Option& option : option_list(command))
    text += begin + " -l " + option.name + (option.value.empty() ? "" : offer_text(option.value, true)) + " -d " +
            quoted(option.doc) + "\n";
  for (const std::string& name : command.positional)
    if (!offer_of(name).nothing()) text += begin + offer_text(name, false) + "\n";
  return text;
}

}  // namespace

std::string fish_completion() {
  std::string text = kBegin;
  for (const Row& row : commands()) {
    const size_t space = row.name.find(' ');
    const bool second = space != std::string::npos;
    text += "complete -c perrin -n " + quoted(second ? "__perrin_at " + row.name.substr(0, space) : "__perrin_at") +
            " -a " + (second ? row.name.substr(space + 1) : row.name) + " -d " + quoted(row.summary) + "\n";
    if (row.options) text += command_text(row.options());
  }
  return text;
}

}  // namespace perrin::app
