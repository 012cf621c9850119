#include "host/services/status.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_set>

#include "host/config/text.hpp"
#include "host/services/accuse.hpp"
#include "host/services/session.hpp"

struct perrin_status {
  uint32_t code = PERRIN_ERROR;
  std::string message, where;
  std::exception_ptr cause;  // a perrin::Error of the host, on its way through a plugin
};

namespace perrin::services {
namespace {

constexpr size_t kLongestMessage = 4096;  // bytes

perrin_status out_of_memory{PERRIN_OUT_OF_MEMORY, "out of memory", {}, {}};

// The statuses that live: what a plugin returns is one of them, or nothing is read from it.
class Statuses {
 public:
  void add(perrin_status* status) {
    std::lock_guard lock(mutex_);
    alive_.insert(status);
  }
  bool remove(const perrin_status* status) {
    std::lock_guard lock(mutex_);
    return alive_.erase(status) != 0;
  }
  bool has(const perrin_status* status) {
    std::lock_guard lock(mutex_);
    return status == &out_of_memory || alive_.contains(status);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<const perrin_status*> alive_;
};
Statuses& statuses() {
  static auto* one = new Statuses;
  return *one;
}

// Did the host itself tell some plugin to stop?
std::atomic<bool> told_to_stop{false};

perrin_status* make(uint32_t code, std::string_view message, std::string_view where, std::exception_ptr cause) noexcept
    try {
  auto status = std::make_unique<perrin_status>(code, std::string(message), std::string(where), std::move(cause));
  statuses().add(status.get());
  return status.release();
} catch (...) {
  return &out_of_memory;
}

// A plugin's words in a message of ours: no control characters, no lines that could be taken for the host's.
std::string words_of(perrin_text text) {
  if (text.data == nullptr) return {};
  std::string_view rest(text.data, std::min<uint64_t>(text.size, kLongestMessage));
  std::string words;
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1))
    words += config::printable(rest.substr(0, end)) + "\n    ";
  return words + config::printable(rest) + (text.size > kLongestMessage ? "..." : "");
}

uint32_t code_of(const Error& error) {
  if (auto* plugin = dynamic_cast<const PluginError*>(&error)) return plugin->code;
  if (error.exit == Exit::usage) return PERRIN_INVALID_CONFIG;
  return error.exit == Exit::interrupted || error.exit == Exit::terminated ? PERRIN_CANCELLED : PERRIN_ERROR;
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

}  // namespace

std::string checked(perrin_text text, std::string_view what, size_t most) {
  const std::string name(what);
  if (text.size > most)
    throw Fault(PERRIN_INVALID_DATA, name + " has " + std::to_string(text.size) + " bytes; at most " +
                                         std::to_string(most) + " are possible");
  if (text.data == nullptr && text.size > 0) throw Fault(PERRIN_INVALID_DATA, name + " is NULL with a size");
  return std::string(view(text));
}

perrin_status* status_of_exception() noexcept {
  try {
    throw;
  } catch (const Fault& fault) {
    if (fault.code == PERRIN_CANCELLED) told_to_stop = true;
    return make(fault.code, fault.what(), {}, nullptr);
  } catch (const Error& error) {
    if (code_of(error) == PERRIN_CANCELLED) told_to_stop = true;
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

void check(perrin_status* status, const loader::Breadcrumb& call) {
  if (status == nullptr) return;
  if (!statuses().has(status))
    throw Misbehaviour("the plugin returned a status that the host did not make, or that was freed", describe(call));
  perrin_status copy = *status;
  status_free(status);
  if (copy.cause) std::rethrow_exception(copy.cause);
  std::string where = describe(call);
  if (!copy.where.empty() && copy.where != (call.component != nullptr ? call.component : ""))
    where += ": " + copy.where;
  if (copy.code == PERRIN_CANCELLED && !told_to_stop && !Session::here().asked_to_stop())
    throw Misbehaviour("the plugin says that it was told to stop, and nobody did", where);
  throw PluginError(copy.code, copy.message.empty() ? "failed without a message" : copy.message, where,
                    fix_of(copy.code));
}

perrin_status* status_new(uint32_t code, perrin_text message, perrin_text where) {
  const bool known = code >= PERRIN_ERROR && code <= PERRIN_IO;
  return make(known ? code : PERRIN_ERROR, words_of(message), words_of(where), nullptr);
}

void status_free(perrin_status* status) {
  if (status == nullptr || status == &out_of_memory) return;
  if (!statuses().remove(status)) return accuse("freed a status that the host did not make, or that was freed before");
  delete status;
}

uint32_t status_code(const perrin_status* status) {
  if (statuses().has(status)) return status->code;
  accuse("asked for the code of what is no status");
  return PERRIN_ERROR;
}

perrin_text status_message(const perrin_status* status) {
  if (statuses().has(status)) return text(status->message);
  accuse("asked for the message of what is no status");
  return {"", 0};
}

}  // namespace perrin::services
