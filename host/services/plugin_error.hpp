// What plugins do wrong, as errors that name them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/loader/breadcrumb.hpp"
#include "perrin/abi.h"

namespace perrin::services {

inline std::string_view view(perrin_text text) { return {text.data, static_cast<size_t>(text.size)}; }
inline perrin_text text(std::string_view s) { return {s.data(), s.size()}; }

// A plugin's failure. `code` is PERRIN_ERROR .. PERRIN_IO; `exit` follows from it (CANCELLED: interrupted,
// INVALID_CONFIG: usage). `where` names component, library and call.
class PluginError : public Error {
 public:
  PluginError(uint32_t code, std::string what, std::string where, std::string fix);
  uint32_t code;
};

// A plugin that broke a rule of the ABI: an exception across the boundary, global state left changed.
class Misbehaviour : public PluginError {
 public:
  Misbehaviour(std::string what, std::string where)
      : PluginError(PERRIN_ERROR, std::move(what), std::move(where), "report it to the plugin's author") {}
};

// What a service throws to fail with a code other than PERRIN_ERROR.
class Fault : public std::runtime_error {
 public:
  Fault(uint32_t code, const std::string& message) : std::runtime_error(message), code(code) {}
  uint32_t code;
};

// `schedule "cosine" (builtin.so), in marginal`.
std::string describe(const loader::Breadcrumb& call);

}  // namespace perrin::services
