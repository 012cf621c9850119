// Standard output and standard error of a program.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace perrin::console {

// While it lives, std::cout and std::cerr write out what a terminal would obey (base/printable.hpp), whoever's text it
// is, and a reader that goes away ends nothing. One per process.
class Output {
 public:
  Output();
  ~Output();
  Output(const Output&) = delete;

  // What the process exits with: `code`, unless standard output took less than it was given. A full disk is told on
  // standard error (1); of a reader that has gone, as `head` does, the code says so (141) as of other programs.
  int finish(int code);

  // To standard output as it is: our own colours, with everybody else's text escaped by the caller.
  static void write_styled(std::string_view text);

 private:
  struct Streams;
  std::unique_ptr<Streams> streams_;
};

// Error::message() with lines that a file or a plugin put into it moved in, so that none looks like a message of its own.
std::string message_text(const Error& error);

}  // namespace perrin::console
