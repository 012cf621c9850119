#include "host/loader/crash.hpp"

#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "host/loader/breadcrumb.hpp"

namespace perrin::loader {
namespace {

constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t crash_stack_size = 64 * 1024;
struct sigaction installed[std::size(signals)];
bool are_installed = false, end_is_marked = false;

const char* signal_name(int number) {
  switch (number) {
    case SIGSEGV:
      return "segmentation fault";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "arithmetic fault";
    case SIGILL:
      return "illegal instruction";
    default:
      return "abort";
  }
}

// Async-signal-safe: a fixed buffer and write(2) only.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != 0 && size_ < sizeof(buffer_)) buffer_[size_++] = *text++;
    return *this;
  }
  void write_to_stderr() const {
    size_t done = 0;
    while (done < size_) {
      ssize_t n = ::write(STDERR_FILENO, buffer_ + done, size_ - done);
      if (n <= 0) return;
      done += static_cast<size_t>(n);
    }
  }

 private:
  char buffer_[1024];
  size_t size_ = 0;
};

struct Range {
  uintptr_t begin, end;
  const char* library;
};
constexpr size_t kRanges = 1024;
Range ranges[kRanges];
std::atomic<size_t> n_ranges{0};

const char* library_at(uintptr_t address) {
  for (size_t i = 0; i < n_ranges.load(std::memory_order_acquire); ++i)
    if (address >= ranges[i].begin && address < ranges[i].end) return ranges[i].library;
  return nullptr;
}

// The nearest library whose code is on the stack from `top` on. Reads by a system call, which fails where memory ends.
const char* library_on_stack(uintptr_t top) {
  uintptr_t words[512];
  for (int block = 0; block < 32; ++block) {
    const iovec here_to = {words, sizeof words}, from = {reinterpret_cast<void*>(top + block * sizeof words), sizeof words};
    const ssize_t n = ::process_vm_readv(::getpid(), &here_to, 1, &from, 1, 0);
    if (n <= 0) return nullptr;
    for (size_t i = 0; i < static_cast<size_t>(n) / sizeof(uintptr_t); ++i)
      if (const char* library = library_at(words[i])) return library;
  }
  return nullptr;
}

// This thread's crumb, from the protected pages: the thread's own memory may be what was destroyed.
const Crumb* own_crumb() {
  const Crumbs& all = crumbs();
  const int thread = ::gettid();
  for (size_t i = std::min<size_t>(all.n, kCrumbs); i-- > 0;)  // numbers of threads are used again
    if (all.of[i].thread == thread) return &all.of[i];
  return nullptr;
}

void write_fix(Line& line) {
  line << "\n  fix: report it to the plugin's author, or use another component; the run can be resumed\n";
  line.write_to_stderr();
  crumbs().reported = 1;
}

void write_message(const Crumb& crumb, const char* what) {
  Line line;
  line << "\nerror: plugin " << crumb.library << " ended the process: " << what << " in " << crumb.call;
  if (crumb.component != nullptr) line << " of component " << crumb.component;
  write_fix(line);
}

// In code that the host did not call: a thread of the plugin's own, its exit handlers.
void write_outside(const char* library, const char* what) {
  Line line;
  line << "\nerror: plugin " << library << " ended the process: " << what
       << " in code that runs outside of the host's calls (a thread or an exit handler of its own)";
  write_fix(line);
}

void write_nowhere(const char* what) {
  const Crumbs& all = crumbs();
  const char* library = all.n > 0 ? all.of[0].library.load() : nullptr;
  if (library == nullptr) return;
  Line line;
  line << "\nerror: the process ended: " << what << ", outside of any plugin's call. The last plugin that ran was " << library
       << ", in " << all.of[0].call;
  if (all.of[0].component != nullptr) line << " of component " << all.of[0].component;
  write_fix(line);
}

bool cores_are_wanted() {
  rlimit limit;
  return ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur != 0;
}

#if defined(__x86_64__)
uintptr_t stack_of(const ucontext_t& context) { return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]); }
uintptr_t place_of(const ucontext_t& context) { return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RIP]); }
#else
uintptr_t stack_of(const ucontext_t& context) { return context.uc_mcontext.sp; }
uintptr_t place_of(const ucontext_t& context) { return context.uc_mcontext.pc; }
#endif

void on_crash(int number, siginfo_t*, void* raw) {
  const auto& context = *static_cast<const ucontext_t*>(raw);
  const Crumb* crumb = own_crumb();
  const char* library = library_at(place_of(context));
  bool named = true;
  if (in_forked_child()) {
    named = false;
  } else if (crumb != nullptr && crumb->inside) {
    write_message(*crumb, signal_name(number));
  } else if (library != nullptr || (library = library_on_stack(stack_of(context))) != nullptr) {
    write_outside(library, signal_name(number));
  } else {
    write_nowhere(signal_name(number));
    named = false;
  }
  if (named && !cores_are_wanted()) ::_exit(1);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void on_exit() {
  if (in_forked_child()) ::_exit(1);
  if (crumbs().ended != 0) return;
  const Crumb* crumb = own_crumb();
  if (crumb != nullptr && crumb->inside) {
    write_message(*crumb, "it called exit()");
    ::_exit(1);
  }
  if (!end_is_marked) return;
  const char* library = library_on_stack(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
  if (library != nullptr) write_outside(library, "it called exit()");
  ::_exit(1);
}

void install() {
  for (size_t i = 0; i < std::size(signals); ++i) {
    struct sigaction action = {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
    ::sigaction(signals[i], &action, nullptr);
    installed[i] = action;
  }
  are_installed = true;
}

}  // namespace

void note_addresses(const char* library) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* wanted) {
        if (std::strcmp(info->dlpi_name, static_cast<const char*>(wanted)) != 0) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          const size_t n = n_ranges;
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || n == kRanges) continue;
          const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          ranges[n] = {begin, begin + segment.p_memsz, static_cast<const char*>(wanted)};
          n_ranges.store(n + 1, std::memory_order_release);
        }
        return 1;
      },
      const_cast<char*>(library));
}

void use_crash_stack() {
  static thread_local bool done = false;
  if (done) return;
  done = true;
  stack_t old;
  if (::sigaltstack(nullptr, &old) != 0 || (old.ss_flags & SS_DISABLE) == 0) return;
  // Leaked on purpose: a thread's last moments must still find it. Untouched pages cost nothing.
  void* memory = ::mmap(nullptr, crash_stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = crash_stack_size;
  ::sigaltstack(&stack, nullptr);
}

void install_crash_handler(bool marks_its_end) {
  static std::once_flag once;
  std::call_once(once, [&] {
    end_is_marked = marks_its_end;
    crumbs();
    use_crash_stack();
    install();
    std::atexit(on_exit);
  });
}

std::string reinstall_crash_handler() {
  std::string taken;
  for (size_t i = 0; are_installed && i < std::size(signals); ++i) {
    struct sigaction now;
    if (::sigaction(signals[i], nullptr, &now) != 0 || now.sa_sigaction == installed[i].sa_sigaction) continue;
    taken += (taken.empty() ? "" : ", ") + std::string("SIG") + ::sigabbrev_np(signals[i]);
    ::sigaction(signals[i], &installed[i], nullptr);
  }
  return taken;
}

}  // namespace perrin::loader
