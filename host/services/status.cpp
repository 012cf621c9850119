#include "host/services/status.hpp"

#include <c10/util/Exception.h>

#include <exception>
#include <memory>
#include <new>

struct perrin_status {
  uint32_t code = PERRIN_ERROR;
  std::string message, where;
  std::exception_ptr cause;  // a perrin::Error of the host, on its way through a plugin
};

namespace perrin::services {
namespace {

perrin_status out_of_memory{PERRIN_OUT_OF_MEMORY, "out of memory", {}, {}};

perrin_status* make(uint32_t code, std::string_view message, std::string_view where, std::exception_ptr cause) noexcept
    try {
  return new perrin_status{code, std::string(message), std::string(where), std::move(cause)};
} catch (...) {
  return &out_of_memory;
}

uint32_t code_of(const Error& error) {
  if (auto* plugin = dynamic_cast<const PluginError*>(&error)) return plugin->code;
  if (error.exit == Exit::usage) return PERRIN_INVALID_CONFIG;
  return error.exit == Exit::interrupted || error.exit == Exit::terminated ? PERRIN_CANCELLED : PERRIN_ERROR;
}

Exit exit_of(uint32_t code) {
  switch (code) {
    case PERRIN_CANCELLED:
      return Exit::interrupted;
    case PERRIN_INVALID_CONFIG:
      return Exit::usage;
    default:
      return Exit::failed;
  }
}

std::string fix_of(uint32_t code) {
  switch (code) {
    case PERRIN_OUT_OF_MEMORY:
      return "use a smaller batch, a smaller model or bf16";
    case PERRIN_INVALID_CONFIG:
      return "change the component's keys; `perrin plugin show` lists them";
    default:
      return {};
  }
}

std::string file_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

}  // namespace

PluginError::PluginError(uint32_t code, std::string what, std::string where, std::string fix)
    : Error(std::move(what), std::move(where), std::move(fix), exit_of(code)), code(code) {}

perrin_status* status_of_exception() noexcept {
  try {
    throw;
  } catch (const Fault& fault) {
    return make(fault.code, fault.what(), {}, nullptr);
  } catch (const Error& error) {
    return make(code_of(error), error.what(), error.where, std::current_exception());
  } catch (const c10::OutOfMemoryError& error) {
    return make(PERRIN_OUT_OF_MEMORY, error.what_without_backtrace(), {}, nullptr);
  } catch (const c10::Error& error) {
    return make(PERRIN_ERROR, error.what_without_backtrace(), {}, nullptr);
  } catch (const std::bad_alloc&) {
    return &out_of_memory;
  } catch (const std::exception& error) {
    return make(PERRIN_ERROR, error.what(), {}, nullptr);
  } catch (...) {
    return make(PERRIN_ERROR, "an exception that is not a std::exception", {}, nullptr);
  }
}

std::string describe(const loader::Breadcrumb& call) {
  if (call.library == nullptr) return {};
  std::string text = call.component != nullptr
                         ? "\"" + std::string(call.component) + "\" (" + file_name(call.library) + ")"
                         : "plugin " + file_name(call.library);
  return call.call != nullptr ? text + ", in " + call.call : text;
}

void check(perrin_status* status, const loader::Breadcrumb& call) {
  if (status == nullptr) return;
  perrin_status copy = *status;
  status_free(status);
  if (copy.cause) std::rethrow_exception(copy.cause);
  std::string where = describe(call);
  if (!copy.where.empty() && copy.where != (call.component != nullptr ? call.component : ""))
    where += ": " + copy.where;
  throw PluginError(copy.code, copy.message.empty() ? "failed without a message" : copy.message, where,
                    fix_of(copy.code));
}

perrin_status* status_new(uint32_t code, perrin_text message, perrin_text where) {
  return make(code, view(message), view(where), nullptr);
}

void status_free(perrin_status* status) {
  if (status != &out_of_memory) delete status;
}

uint32_t status_code(const perrin_status* status) { return status->code; }

perrin_text status_message(const perrin_status* status) { return text(status->message); }

}  // namespace perrin::services
