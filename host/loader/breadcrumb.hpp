// Which plugin a thread is in, for the crash handler: set on each way into a plugin, read by a signal handler.
#pragma once

namespace perrin::loader {

// All text lives as long as the process. `library` null: the thread is in the host's own code.
struct Breadcrumb {
  const char* library = nullptr;    // file
  const char* component = nullptr;  // id, or null
  const char* call = nullptr;       // function, as the header names it
};

extern constinit thread_local Breadcrumb here;

// Told about each way in, before it is taken; null except in perrin-probe. Set before the first call.
extern void (*on_enter)(const Breadcrumb& crumb);

// Marks a scope as inside a plugin; scopes nest (a sampler calls the host, the host a denoiser).
class Inside {
 public:
  Inside(const char* library, const char* component, const char* call) : before_(here) {
    here = {library, component, call};
    if (on_enter != nullptr) [[unlikely]]
      on_enter(here);
  }
  ~Inside() { here = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Breadcrumb before_;
};

// A copy of `text` that is never freed; equal texts share one.
const char* keep_text(const char* text);

// Installs, once per process, handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and of exit(). A crash inside a
// plugin writes one message to stderr that names library, component and call, and ends the process: by the signal
// itself where core dumps are enabled (ulimit -c), else with exit code 1. exit() called inside a plugin gets the same
// message and code 1. Crashes of the host's own code keep their default.
void install_crash_handler();

// Gives this thread a stack of its own for the handler, so that a stack overflow is named too. Once per thread.
void use_crash_stack();

}  // namespace perrin::loader
