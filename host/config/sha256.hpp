// SHA-256 (FIPS 180-4), for names of configurations.
#pragma once

#include <string>
#include <string_view>

namespace perrin::config {

std::string sha256_hex(std::string_view bytes);  // 64 lower-case digits

}  // namespace perrin::config
