#include "host/app/options.hpp"

#include <algorithm>
#include <iostream>

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"

namespace perrin::app {
namespace {

Error usage_error(const Command& command, const std::string& what) {
  return Error(what, "perrin " + command.name, "see `perrin " + command.name + " --help`", Exit::usage);
}

}  // namespace

Command::Command(std::string name_, std::string usage_, std::string summary_, std::string example_)
    : name(std::move(name_)), usage(std::move(usage_)), summary(std::move(summary_)), example(std::move(example_)) {
  description.add_options()("help,h", "print this and stop");
}

std::optional<options::variables_map> parse(Command& command, const std::vector<std::string>& arguments) {
  options::options_description all;
  all.add(command.description);
  options::options_description hidden;
  options::positional_options_description positional;
  for (const std::string& name : command.positional) {
    hidden.add_options()(name.c_str(), options::value<std::string>());
    positional.add(name.c_str(), 1);
  }
  all.add(hidden);
  options::variables_map values;
  try {
    namespace style = options::command_line_style;
    options::store(options::command_line_parser(arguments)
                       .options(all)
                       .positional(positional)
                       .style(style::default_style & ~style::allow_guessing)
                       .run(),
                   values);
    options::notify(values);
  } catch (const options::unknown_option& unknown) {
    std::vector<std::string> known;
    for (const auto& option : command.description.options()) known.push_back("--" + option->long_name());
    const std::string nearest = config::nearest(unknown.get_option_name(), known);
    throw usage_error(command, "unknown option " + unknown.get_option_name() +
                                   (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  } catch (const options::too_many_positional_options_error&) {
    throw usage_error(command, "too many arguments; usage: perrin " + command.usage);
  } catch (const options::error& error) {
    throw usage_error(command, error.what());
  }
  for (const auto& [name, value] : values) {
    const auto* text = boost::any_cast<std::string>(&value.value());
    const auto* option = command.description.find_nothrow(name, false);
    if (option && option->semantic()->max_tokens() == 0) continue;  // it takes no value
    if (text && text->empty() && !value.defaulted() && name != "negative")  // a prompt
      throw usage_error(command, (option ? "--" : "") + name + " is empty");
  }
  if (values.count("help")) {
    std::cout << "perrin " << command.usage << "\n\n"
              << command.summary << "\n\n"
              << command.description << "\nexample:\n  " << command.example << "\n";
    return std::nullopt;
  }
  return values;
}

std::string required(const Command& command, const options::variables_map& values, const std::string& name) {
  if (values.count(name)) return values[name].as<std::string>();
  throw usage_error(command, "missing " + name + "; usage: perrin " + command.usage);
}

}  // namespace perrin::app
