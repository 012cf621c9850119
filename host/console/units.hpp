// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace perrin::console {

std::string count(double n);           // 950, 1.20 k, 35.7 M: three digits, powers of 1000
std::string bytes(double n);           // 512 B, 3.40 GiB: three digits, powers of 1024
std::string duration(double seconds);  // 0.4 s, 0:42, 1:02:03, 2 d 3:00:00; "?" if not finite or negative
std::string number(double value);      // 0.01234, 1.2e-05, nan: four significant digits, no trailing zeros

}  // namespace perrin::console
