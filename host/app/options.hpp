// What one command accepts: Boost.Program_options with Perrin's messages.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

namespace perrin::app {

namespace options = boost::program_options;

// Every command has --help and --json. The name of a value says what it is, to people and to completions: FILE, FOLDER,
// RUN, ID of a component, SAMPLER or another kind's id, KIND, COMMAND, ACTION; small words to choose among; | between
// what may stand there; any other for what cannot be listed.
struct Command {
  std::string name;                     // "run", or "weights export" of a group
  std::vector<std::string> positional;  // one value each; in [brackets] if it may be left out
  std::string summary, example;
  options::options_description description{"options"};

  Command(std::string name, std::vector<std::string> positional, std::string summary, std::string example);

  // The value of an option; owned by the description.
  void add(const char* option, const options::value_semantic* value, const char* doc);
  void add_flag(const char* option, const char* doc);
  void add_device();
  void add_set(const char* doc);
  void add_checkpoint();

  std::string usage() const;  // "run FILE [options]"
  std::string help() const;
};

// Values of options: one text, several by repeating the option, a whole number, a number.
options::typed_value<std::string>* text(const char* name);
options::typed_value<std::vector<std::string>>* texts(const char* name);
options::typed_value<int64_t>* whole(const char* name);
options::typed_value<double>* real(const char* name);

// The parsed values; none if --help was printed. Throws Error (usage) naming the option and the nearest known one.
std::optional<options::variables_map> parse(const Command& command, const std::vector<std::string>& arguments);

// The value of a positional option. Throws Error (usage).
std::string required(const Command& command, const options::variables_map& values, const std::string& name);

}  // namespace perrin::app
