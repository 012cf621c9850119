// Everything that is wrong with an experiment, told at once and in place.
#pragma once

#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/config/source.hpp"

namespace perrin::config {

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Location at;
  std::string message;
  std::string hint;  // what to do or what is allowed; may be empty
};

// "file:12:8: error: message", the line with a caret under the place, "= hint". Ends with a newline.
std::string render(const Diagnostic& diagnostic, const Sources& sources);

// All errors of one load (warnings among them), sorted by place. what() and message() are the whole text, which ends
// with "3 errors in FILE; nothing was run."
class Diagnostics : public Error {
 public:
  Diagnostics(std::vector<Diagnostic> sorted, const Sources& sources, const std::string& file);
  std::string message() const override { return what(); }

  std::vector<Diagnostic> entries;
};

// Collects while a file is checked, so that no check needs to stop at the first fault.
class Log {
 public:
  void error(Location at, std::string message, std::string hint = {});
  void warning(Location at, std::string message, std::string hint = {});
  bool failed() const { return errors_ > 0; }

  Sources& sources() { return sources_; }
  const Sources& sources() const { return sources_; }

  std::vector<Diagnostic> sorted() const;               // by source, line, column; stable
  void throw_if_failed(const std::string& file) const;  // throws Diagnostics

 private:
  Sources sources_;
  std::vector<Diagnostic> entries_;
  size_t errors_ = 0;
};

}  // namespace perrin::config
