#include "host/app/front/manual.hpp"

#include "host/app/commands.hpp"
#include "host/app/front/option_list.hpp"
#include "perrin/abi.h"

namespace perrin::app {
namespace {

// A line of text: hyphens and backslashes as they are, and no request at its beginning.
std::string escaped(const std::string& text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string option_text(const Option& option) {
  std::string text = ".TP\n\\fB\\-\\-" + escaped(option.name) + "\\fR";
  if (!option.value.empty()) text += " \\fI" + escaped(option.value) + "\\fR";
  text += "\n" + escaped(option.doc);
  if (!option.fallback.empty()) text += " (default: " + escaped(option.fallback) + ")";
  return text + "\n";
}

bool is_common(const Option& option) { return option.name == "help" || option.name == "json"; }

std::string command_text(const Command& command) {
  std::string text = ".SS perrin " + escaped(command.usage()) + "\n" + escaped(command.summary) + "\n";
  for (const Option& option : option_list(command))
    if (!is_common(option)) text += option_text(option);
  return text + ".PP\nExample:\n.PP\n.RS 4\n" + escaped(command.example) + "\n.RE\n";
}

constexpr const char* kDescription =
    ".SH DESCRIPTION\n"
    "Perrin loads plugins, composes them as one TOML file says, trains, samples, and keeps every number of a run in "
    "one "
    "HDF5 file.\n"
    "FILE is an experiment file unless a command says otherwise; RUN is the folder of a run, which \\fBperrin run\\fR "
    "prints last.\n";

constexpr const char* kEnd =
    ".SH EXIT STATUS\n"
    ".TP\n0\nIt is done.\n"
    ".TP\n1\nIt failed; standard error says what, where and how to mend it.\n"
    ".TP\n2\nThe command line or the experiment file cannot be used as it is; nothing was begun.\n"
    ".TP\n130, 143\nIt was interrupted (SIGINT, SIGTERM); a run can be resumed.\n"
    ".PP\n"
    "With \\fB\\-\\-json\\fR the codes are the same, and an error is text on standard error as without.\n";

}  // namespace

std::string manual_page() {
  std::string text = ".TH PERRIN 1 \"\" \"Perrin " PERRIN_SDK_VERSION
                     "\" \"Perrin\"\n.SH NAME\nperrin \\- diffusion experiments composed of plugins\n"
                     ".SH SYNOPSIS\n.B perrin\n\\fICOMMAND\\fR [\\fIoptions\\fR]\n";
  text += kDescription;
  text += ".SH COMMON OPTIONS\n";
  for (const Option& option : option_list(help_options()))
    if (is_common(option)) text += option_text(option);
  text += ".TP\n\\fB\\-\\-version\\fR\nin place of a command: print the version\n.SH COMMANDS\n";
  for (const Row& row : commands())
    if (row.options) text += command_text(row.options());
  return text + kEnd;
}

}  // namespace perrin::app
