#include "host/loader/breadcrumb.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

namespace perrin::loader {

constinit thread_local Breadcrumb here;
void (*on_enter)(const Breadcrumb&) = nullptr;

namespace {

constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t crash_stack_size = 64 * 1024;

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

void write_message(const char* what) {
  Line line;
  line << "\nerror: plugin " << here.library << " ended the process: " << what << " in " << here.call;
  if (here.component != nullptr) line << " of component " << here.component;
  line << "\n  fix: report it to the plugin's author, or use another component; the run can be resumed\n";
  line.write_to_stderr();
}

bool cores_are_wanted() {
  rlimit limit;
  return ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur != 0;
}

void on_crash(int number) {
  if (here.library != nullptr) {
    write_message(signal_name(number));
    if (!cores_are_wanted()) ::_exit(1);
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void on_exit() {
  if (here.library == nullptr) return;
  write_message("it called exit()");
  ::_exit(1);
}

}  // namespace

const char* keep_text(const char* text) {
  static std::mutex mutex;
  static auto* kept = new std::set<std::string>;
  std::lock_guard lock(mutex);
  return kept->insert(text).first->c_str();
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

void install_crash_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    use_crash_stack();
    for (int number : signals) {
      struct sigaction action = {};
      action.sa_handler = on_crash;
      action.sa_flags = SA_ONSTACK | SA_NODEFER;
      ::sigaction(number, &action, nullptr);
    }
    std::atexit(on_exit);
  });
}

}  // namespace perrin::loader
