#pragma once

#include <string>

namespace perrin::store {

double unix_seconds();                 // now, seconds since 1970-01-01T00:00:00Z
std::string utc(double unix_seconds);  // "2024-02-29T12:00:00Z"

}  // namespace perrin::store
