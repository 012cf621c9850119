// Errors on their way across the boundary: exception -> perrin_status on the way out, perrin_status -> perrin::Error
// in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/services/plugin_error.hpp"
#include "perrin/abi.h"

namespace perrin::services {

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

// NULL: nothing. Else frees `status` and throws PluginError, or the host's own exception that it carries.
void check(perrin_status* status, const loader::Breadcrumb& call);

// The entries of perrin_host.
perrin_status* status_new(uint32_t code, perrin_text message, perrin_text where);
void status_free(perrin_status* status);
uint32_t status_code(const perrin_status* status);
perrin_text status_message(const perrin_status* status);

}  // namespace perrin::services
