#include "host/app/front/completion.hpp"

#include <iostream>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/base/error.hpp"
#include "host/config/suggest.hpp"

namespace perrin::app {
namespace {

constexpr struct {
  const char* shell;
  std::string (*script)();
} kShells[] = {{"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};

std::vector<std::string> shells() {
  std::vector<std::string> names;
  for (const auto& each : kShells) names.push_back(each.shell);
  return names;
}

// "bash|zsh|fish"
std::string shells_value() {
  std::string text;
  for (const std::string& name : shells()) text += (text.empty() ? "" : "|") + name;
  return text;
}

}  // namespace

Command completion_options() {
  return {"completion",
          {shells_value()},
          "Prints a script with which a shell completes Perrin's commands, options, files and names of components. An "
          "installation has them where the shells look.",
          "source <(perrin completion bash)"};
}

int completion_command(const std::vector<std::string>& arguments) {
  const Command command = completion_options();
  const auto values = parse(command, arguments);
  if (!values) return 0;
  const std::string shell = required(command, *values, shells_value());
  for (const auto& each : kShells) {
    if (shell != each.shell) continue;
    if (values->count("json"))
      std::cout << json_text(nlohmann::json{{"shell", shell}, {"script", each.script()}});
    else
      std::cout << each.script();
    return 0;
  }
  throw Error("there is no completion for the shell \"" + shell + "\"", "perrin completion",
              config::suggestion(shell, shells()), Exit::usage);
}

}  // namespace perrin::app
