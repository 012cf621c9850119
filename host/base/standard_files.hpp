// File descriptors 0 to 2: nothing that a program opens may ever take their numbers.
#pragma once

#include <fcntl.h>

namespace perrin {

// First in main: opens on /dev/null those that are closed. A text for a closed standard error would else land in the
// first file that the program opens.
inline void reserve_standard_files() {
  for (int file = 0; file < 3; ++file)
    if (::fcntl(file, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // takes the lowest free number, which is this one
}

}  // namespace perrin
