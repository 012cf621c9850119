#include "host/services/accuse.hpp"

#include <atomic>
#include <mutex>
#include <optional>

#include "host/services/plugin_error.hpp"

namespace perrin::services {
namespace {

struct Accusation {
  std::string what, where;
};
constinit thread_local bool accused = false;  // no guard of a dynamic initialisation on the ordinary path
thread_local std::optional<Accusation> of_this_thread;
std::atomic<bool> any_elsewhere{false};
std::mutex mutex;
std::optional<Accusation> elsewhere;

}  // namespace

void accuse(std::string what) noexcept try {
  if (loader::here.library != nullptr) {
    if (accused) return;
    of_this_thread = Accusation{std::move(what), describe(loader::here)};
    accused = true;
    return;
  }
  std::lock_guard lock(mutex);
  if (elsewhere) return;
  elsewhere = Accusation{std::move(what), "a thread that a plugin started"};
  any_elsewhere = true;
} catch (...) {
}

void throw_accusation() {
  if (!accused && !any_elsewhere.load(std::memory_order_relaxed)) [[likely]]
    return;
  std::optional<Accusation> found;
  if (accused) {
    found.swap(of_this_thread);
    accused = false;
  } else {
    std::lock_guard lock(mutex);
    found.swap(elsewhere);
    any_elsewhere = false;
  }
  if (found) throw Misbehaviour("the plugin " + found->what, found->where);
}

void forget_accusation() noexcept {
  if (!accused) return;
  of_this_thread.reset();
  accused = false;
}

}  // namespace perrin::services
