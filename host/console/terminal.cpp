#include "host/console/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "host/base/environment.hpp"

namespace perrin::console {
namespace {

// Containers often set no locale at all while their terminal shows UTF-8: only a locale that says otherwise counts.
bool shows_unicode() {
  std::string_view locale = variable("LC_ALL");
  if (locale.empty()) locale = variable("LC_CTYPE");
  if (locale.empty()) locale = variable("LANG");
  return locale.empty() || locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos ||
         locale.find("UTF8") != locale.npos || locale.find("utf-8") != locale.npos;
}

}  // namespace

Terminal Terminal::of(int descriptor) {
  Terminal terminal;
  terminal.tty = isatty(descriptor) == 1 && variable("TERM") != "dumb";
  terminal.color = terminal.tty && variable("NO_COLOR").empty();
  terminal.unicode = shows_unicode();
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    terminal.width = size.ws_col;
  else if (const int columns = std::atoi(variable("COLUMNS").data()); columns > 0)
    terminal.width = columns;
  terminal.width = std::clamp(terminal.width, 20, 400);
  return terminal;
}

}  // namespace perrin::console
