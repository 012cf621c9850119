// Command-line options of one command: Boost.Program_options with Perrin's messages.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

namespace perrin::app {

namespace options = boost::program_options;

// What a command accepts. Every command has --help.
struct Command {
  std::string name, usage, summary, example;  // usage: "run FILE [options]"
  options::options_description description{"options"};
  std::vector<std::string> positional;        // names of positional options, each taking one value

  Command(std::string name, std::string usage, std::string summary, std::string example);
};

// The parsed values; none if --help was printed. Throws Error (usage) naming the option and the nearest known one.
std::optional<options::variables_map> parse(Command& command, const std::vector<std::string>& arguments);

// The value of a required positional option. Throws Error (usage).
std::string required(const Command& command, const options::variables_map& values, const std::string& name);

}  // namespace perrin::app
