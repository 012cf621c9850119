// What the other end of a file descriptor can show.
#pragma once

namespace perrin::console {

struct Terminal {
  bool tty = false;     // redrawing works: a terminal, and TERM is not "dumb"
  bool color = false;   // tty and NO_COLOR is unset or empty
  bool unicode = true;  // false if the locale names another encoding
  int width = 80;       // columns; of a terminal at this moment, else COLUMNS, else 80

  static Terminal of(int descriptor);
};

}  // namespace perrin::console
