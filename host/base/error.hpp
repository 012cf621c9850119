// The one exception type of the host. A boundary (ABI, process, command) turns it into a value.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace perrin {

enum class Exit : int { ok = 0, failed = 1, usage = 2, interrupted = 130, terminated = 143 };

// what: the fact; where: file:line:column, plugin or step (may be empty); fix: what the user can do (may be empty).
class Error : public std::runtime_error {
 public:
  explicit Error(std::string what, std::string where = {}, std::string fix = {}, Exit exit = Exit::failed)
      : std::runtime_error(std::move(what)), where(std::move(where)), fix(std::move(fix)), exit(exit) {}

  // "error: <what>\n  at:  <where>\n  fix: <fix>\n", empty lines left out.
  virtual std::string message() const {
    std::string text = std::string("error: ") + what() + "\n";
    if (!where.empty()) text += "  at:  " + where + "\n";
    if (!fix.empty()) text += "  fix: " + fix + "\n";
    return text;
  }

  std::string where;
  std::string fix;
  Exit exit;
};

}  // namespace perrin
