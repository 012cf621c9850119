#include "host/life/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "host/loader/crumbs.hpp"

namespace perrin::life {
namespace {

std::atomic<int> requested{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (requested.exchange(signal) != 0) {
    loader::mark_end(128 + signal);
    _exit(128 + signal);
  }
  const char text[] = "\nstopping after this step; again to stop at once\n";
  [[maybe_unused]] const auto ignored = write(STDERR_FILENO, text, sizeof text - 1);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &held, nullptr);
}

int stop_signal() { return requested.load(std::memory_order_relaxed); }
int stop_exit_code() { return 128 + stop_signal(); }

}  // namespace perrin::life
