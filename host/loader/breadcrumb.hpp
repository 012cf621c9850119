// Which plugin a thread is in, for whoever has to name it: the crash handler, the watchdog, and `perrin`, which outlives
// perrin-engine. Set on each way into a plugin.
#pragma once

#include "host/loader/crumbs.hpp"

namespace perrin::loader {

// All text lives as long as the process (keep_text, or a literal). `library` null: the thread is in the host's own code.
struct Breadcrumb {
  const char* library = nullptr;    // file
  const char* component = nullptr;  // id, or null
  const char* call = nullptr;       // function, as the header names it
};

extern constinit thread_local Breadcrumb here;
// This thread's copy of it where plugins do not reach; null before its first call.
extern constinit thread_local Crumb* written;
Crumb* first_crumb() noexcept;  // makes it

// Told about each way in, before it is taken; null except in perrin-probe. Set before the first call.
extern void (*on_enter)(const Breadcrumb& crumb);

// Marks a scope as inside a plugin; scopes nest (a sampler calls the host, the host a denoiser).
class Inside {
 public:
  Inside(const char* library, const char* component, const char* call) : before_(here) {
    here = {library, component, call};
    if (written == nullptr && first_crumb() == nullptr) [[unlikely]]
      return;
    written->enter(library, component, call);
    if (on_enter != nullptr) [[unlikely]]
      on_enter(here);
  }
  ~Inside() {
    here = before_;
    if (written == nullptr) return;
    if (before_.library != nullptr)
      written->enter(before_.library, before_.component, before_.call);
    else
      written->leave();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Breadcrumb before_;
};

}  // namespace perrin::loader
