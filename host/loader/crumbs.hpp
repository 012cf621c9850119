// The breadcrumbs of all threads and the texts that they point to, on pages of their own between pages that nobody may
// touch: a plugin that writes beside its memory does not reach them. `perrin` gives the pages to perrin-engine as a file
// in memory, and reads there who ran last when the engine has ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace perrin::loader {

// One thread's. Written by it alone, read by anybody: the parts may be of two calls, each is whole.
struct Crumb {
  std::atomic<int32_t> thread;  // gettid; 0: free
  std::atomic<uint32_t> inside;
  std::atomic<uint64_t> turn;   // ways in and out so far
  std::atomic<const char*> library, component, call;  // of the present or latest call

  void enter(const char* of_library, const char* of_component, const char* of_call) {
    library.store(of_library, std::memory_order_relaxed);
    component.store(of_component, std::memory_order_relaxed);
    call.store(of_call, std::memory_order_relaxed);
    inside.store(1, std::memory_order_relaxed);
    turn.store(turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  void leave() {
    inside.store(0, std::memory_order_relaxed);
    turn.store(turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
};

constexpr size_t kCrumbs = 256;             // threads; more share the last one
constexpr size_t kCrumbText = size_t{1} << 20;  // bytes

struct Crumbs {
  std::atomic<uint32_t> magic;
  std::atomic<uint32_t> ended;     // 256 + exit code: the program came to its end by itself
  std::atomic<uint32_t> reported;  // 1: the end was explained on stderr already
  std::atomic<uint32_t> n;         // crumbs in use
  std::atomic<uint32_t> latest;    // the crumb that was made or left last
  std::atomic<uint32_t> text_used;
  std::atomic<const char*> text_at;  // `text` as the writer sees it
  Crumb of[kCrumbs];
  char text[kCrumbText];
};

// This process's. Made at the first call: from the file descriptor that PERRIN_CRUMBS names, else in memory of its own.
Crumbs& crumbs() noexcept;

// A copy of `text` that is never freed; equal texts share one.
const char* keep_text(const char* text);

// For the process that watches another: a file in memory of the right size (CLOEXEC), and what it holds. -1, null: there is
// none.
int make_crumbs_file();
const Crumbs* map_crumbs(int file);

// "plugin x.so, in forward of component mlp"; empty if no plugin ever ran. `from`: this process's, or another's.
std::string latest_call(const Crumbs& from);

// The program is about to end by itself with this exit code.
void mark_end(int code) noexcept;

// In a child that a plugin forked and that came back from the plugin's call: ends it. Two processes must not write to one
// run.
void end_forked_child() noexcept;
bool in_forked_child() noexcept;

}  // namespace perrin::loader
