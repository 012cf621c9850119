#include "host/loader/watchdog.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "host/loader/crumbs.hpp"

namespace perrin::loader {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kLook = 250ms, kAfterStop = 2000ms;

struct Seen {
  uint64_t turn = 0;
  Clock::time_point since;
  bool said = false, said_stopping = false;
};

std::chrono::milliseconds patience() {  // a test does not wait for a minute
  const char* given = std::getenv("PERRIN_WATCHDOG_SECONDS");
  const double seconds = given == nullptr ? 0 : std::atof(given);
  return seconds > 0 ? std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)) : 60'000ms;
}

void say(const Crumb& crumb, Clock::duration waited, const char* more) {
  const std::string library = crumb.library.load(), component = crumb.component ? crumb.component.load() : "";
  std::string line = "\nplugin " + library.substr(library.rfind('/') + 1) + " has been in " + crumb.call.load();
  if (!component.empty()) line += " of component " + component;
  line += " for " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waited).count()) + " s" + more + "\n";
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

void look(const Crumb& crumb, Seen& seen, Clock::time_point now, bool stopping, std::chrono::milliseconds most) {
  const uint64_t turn = crumb.turn.load(std::memory_order_acquire);
  if (turn != seen.turn || crumb.inside == 0 || crumb.library == nullptr) {
    seen = {turn, now};
    return;
  }
  const auto waited = now - seen.since;
  if (waited >= most && !seen.said) {
    seen.said = true;
    say(crumb, waited, "");
  }
  if (stopping && waited >= kAfterStop && !seen.said_stopping) {
    seen.said_stopping = true;
    say(crumb, waited, "; it does not ask whether to stop. A second Ctrl-C ends the program at once");
  }
}

void watch(int (*asked)()) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::array<Seen, kCrumbs> seen{};
  const auto most = patience();
  Clock::time_point stop{};
  for (;; std::this_thread::sleep_for(kLook)) {
    const auto now = Clock::now();
    if (asked() != 0 && stop == Clock::time_point{}) stop = now;
    const bool stopping = stop != Clock::time_point{} && now - stop >= kAfterStop;
    const Crumbs& all_crumbs = crumbs();
    for (size_t i = 0; i < std::min<size_t>(all_crumbs.n, kCrumbs); ++i)
      look(all_crumbs.of[i], seen[i], now, stopping, most);
  }
}

}  // namespace

void start_watchdog(int (*asked)()) {
  static const bool started = [&] {
    std::thread(watch, asked).detach();
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace perrin::loader
