// Compiled into each program: PERRIN_IS_ENGINE says into which.
#include "host/app/commands.hpp"

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"

namespace perrin::app {
namespace {

#define NEITHER(name, summary) {name, summary, nullptr, nullptr},
#define HERE(name, function, summary) {name, summary, function##_options, function##_command},
#ifdef PERRIN_IS_ENGINE
#define OTHERS(name, function, summary) {name, summary, nullptr, nullptr},
const Row kCommands[] = {PERRIN_COMMANDS(NEITHER, OTHERS, HERE)};
#else
#define OTHERS(name, function, summary) {name, summary, function##_options, nullptr},
const Row kCommands[] = {PERRIN_COMMANDS(NEITHER, HERE, OTHERS)};
#endif

const Row* named(const std::string& name) {
  for (const Row& row : kCommands)
    if (row.name == name) return &row;
  return nullptr;
}

bool is_group(const Row& row) {
  for (const Row& other : kCommands)
    if (row.leads(other)) return true;
  return false;
}

// `before`: the group's name and a space, or nothing.
Error unknown(const std::string& before, const std::string& word) {
  std::vector<std::string> known;
  for (const Row& row : kCommands)
    if (row.name.starts_with(before) && row.name.find(' ', before.size()) == std::string::npos)
      known.push_back(row.name.substr(before.size()));
  const std::string nearest = config::nearest(word, known);
  return Error(
      "there is no command \"" + before + word + "\"" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
      "perrin", "see `perrin " + before + "--help`", Exit::usage);
}

}  // namespace

std::span<const Row> commands() { return kCommands; }

Found find_command(const std::vector<std::string>& words) {
  const Row* row = words.empty() || words[0].find(' ') != std::string::npos ? nullptr : named(words[0]);
  if (!row) throw unknown("", words.empty() ? "" : words[0]);
  const bool alone = words.size() == 1 || words[1] == "--help" || words[1] == "-h";
  if (!is_group(*row) || alone) return {*row, {words.begin() + 1, words.end()}};
  const Row* action = named(words[0] + " " + words[1]);
  if (!action) throw unknown(words[0] + " ", words[1]);
  return {*action, {words.begin() + 2, words.end()}};
}

}  // namespace perrin::app
