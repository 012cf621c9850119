// Errors on their way across the boundary: exception -> perrin_status on the way out, perrin_status -> perrin::Error
// in.
#pragma once

#include <cstdint>
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

// A copy of a text that a plugin gave, called `what` in the message. Throws Fault (PERRIN_INVALID_DATA) if it has no data
// or is longer than any real one.
std::string checked(perrin_text text, std::string_view what, size_t most = 4096);

// The exception being handled as a status. A perrin::Error is carried along whole: if the plugin passes the status on,
// `check` throws that same exception again. LibTorch's C++ stack is cut off.
perrin_status* status_of_exception() noexcept;

// A host function that plugins call: whatever `f` throws becomes a status.
template <class F>
perrin_status* as_status(F&& f) noexcept {
  try {
    f();
    return nullptr;
  } catch (...) {
    return status_of_exception();
  }
}

// `schedule "cosine" (builtin.so), in marginal`.
std::string describe(const loader::Breadcrumb& call);

// NULL: nothing. Else frees `status` and throws PluginError, or the host's own exception that it carries.
void check(perrin_status* status, const loader::Breadcrumb& call);

// The entries of perrin_host.
perrin_status* status_new(uint32_t code, perrin_text message, perrin_text where);
void status_free(perrin_status* status);
uint32_t status_code(const perrin_status* status);
perrin_text status_message(const perrin_status* status);

}  // namespace perrin::services
