#include "host/app/options.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

Error usage_error(const Command& command, const std::string& what) {
  return Error(what, "perrin " + command.name, "see `perrin " + command.name + " --help`", Exit::usage);
}

Error unknown_option(const Command& command, const std::string& option) {
  std::vector<std::string> known;
  for (const auto& each : command.description.options()) known.push_back("--" + each->long_name());
  const std::string nearest = config::nearest(option, known);
  return usage_error(command, "unknown option " + option + (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
}

Values stored(const Command& command, const std::vector<std::string>& arguments) {
  namespace style = options::command_line_style;
  options::options_description all, hidden;
  options::positional_options_description positional;
  for (const std::string& name : command.positional) {
    hidden.add_options()(name.c_str(), options::value<std::string>());
    positional.add(name.c_str(), 1);
  }
  all.add(command.description).add(hidden);
  Values values;
  options::store(options::command_line_parser(arguments)
                     .options(all)
                     .positional(positional)
                     .style(style::default_style & ~style::allow_guessing)
                     .run(),
                 values);
  options::notify(values);
  return values;
}

void check_not_empty(const Command& command, const Values& values) {
  for (const auto& [name, value] : values) {
    const auto* text = boost::any_cast<std::string>(&value.value());
    const auto* option = command.description.find_nothrow(name, false);
    if (option && option->semantic()->max_tokens() == 0) continue;          // it takes no value
    if (text && text->empty() && !value.defaulted() && name != "negative")  // a prompt
      throw usage_error(command, (option ? "--" : "") + name + " is empty");
  }
}

}  // namespace

Command::Command(std::string name, std::vector<std::string> positional, std::string summary, std::string example)
    : name(std::move(name)),
      positional(std::move(positional)),
      summary(std::move(summary)),
      example(std::move(example)) {
  add_flag("help,h", "print this and stop");
  add_flag("json", "print one JSON object");
}

void Command::add(const char* option, const options::value_semantic* value, const char* doc) {
  description.add_options()(option, value, doc);
}

void Command::add_flag(const char* option, const char* doc) { description.add_options()(option, doc); }

void Command::add_device() {
  add("device", text("cpu|cuda|auto")->default_value("auto"), "where to compute; auto: cuda if there is one");
}

void Command::add_set(const char* doc) { add("set", texts("KEY=VALUE"), doc); }

void Command::add_checkpoint() { add("checkpoint", text("FILE"), "a checkpoint file (default: the newest)"); }

std::string Command::usage() const {
  std::string line = name;
  for (const std::string& each : positional) line += " " + each;
  return line + " [options]";
}

std::string Command::help() const {
  std::ostringstream text;
  text << "perrin " << usage() << "\n\n" << summary << "\n\n" << description << "\nexample:\n  " << example << "\n";
  return text.str();
}

options::typed_value<std::string>* text(const char* name) { return options::value<std::string>()->value_name(name); }

options::typed_value<std::vector<std::string>>* texts(const char* name) {
  return options::value<std::vector<std::string>>()->composing()->value_name(name);
}

options::typed_value<int64_t>* whole(const char* name) { return options::value<int64_t>()->value_name(name); }

options::typed_value<double>* real(const char* name) { return options::value<double>()->value_name(name); }

std::optional<Values> parse(const Command& command, const std::vector<std::string>& arguments) {
  try {
    Values values = stored(command, arguments);
    check_not_empty(command, values);
    if (!values.count("help")) return values;
    std::cout << command.help();
    return std::nullopt;
  } catch (const options::unknown_option& unknown) {
    throw unknown_option(command, unknown.get_option_name());
  } catch (const options::too_many_positional_options_error&) {
    throw usage_error(command, "too many arguments; usage: perrin " + command.usage());
  } catch (const options::error& error) {
    throw usage_error(command, error.what());
  }
}

std::string required(const Command& command, const Values& values, const std::string& name) {
  if (values.count(name)) return values[name].as<std::string>();
  throw usage_error(command, "missing " + name + "; usage: perrin " + command.usage());
}

}  // namespace perrin::app
