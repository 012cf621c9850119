#include "host/kernels/waiting.hpp"

#include <ATen/Parallel.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "host/kernels/threads.hpp"

namespace perrin::kernels {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kInterval(200);
constexpr int kQuietIntervals = 5;  // before threads wait long again

std::optional<CoreWaits> read_waits(const std::string& file) {
  std::ifstream in(file);
  uint64_t running = 0;
  CoreWaits waits;
  if (!(in >> running >> waits.nanoseconds >> waits.turns)) return std::nullopt;
  return waits;
}

// Ends with the process.
[[noreturn]] void watch(const std::string& file, CoreWaits last) {
  std::optional<IdleTeam> team;
  int quiet = 0;
  for (;;) {
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(kInterval);
    const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - begin;
    const CoreWaits now = read_waits(file).value_or(last);
    const bool wanted = cores_are_wanted(team.has_value(), last, now, static_cast<uint64_t>(passed.count()));
    quiet = wanted ? 0 : quiet + 1;
    try {
      if (wanted && !team) team.emplace();
    } catch (const std::system_error&) {  // no thread to be had: they go on waiting as they do
    }
    if (quiet >= kQuietIntervals) team.reset();
    last = now;
  }
}

}  // namespace

bool cores_are_wanted(bool before, const CoreWaits& from, const CoreWaits& to, uint64_t nanoseconds) {
  const double waited = static_cast<double>(to.nanoseconds - from.nanoseconds);
  const double share = waited / static_cast<double>(nanoseconds);
  const double each = waited / static_cast<double>(std::max<uint64_t>(to.turns - from.turns, 1));
  if (share > 0.05 && each > 300e3) return true;
  return before && share > 0.01 && each > 100e3;
}

struct IdleTeam::Parked {
  std::promise<void> end;
  std::thread thread;
};

IdleTeam::IdleTeam() : parked_(std::make_unique<Parked>()) {
  // One more than there are cores, with the threads that LibTorch has already.
  const int most = static_cast<int>(std::thread::hardware_concurrency());
  const auto size = static_cast<unsigned>(std::max(2, most - at::get_num_threads() + 2));
  parked_->thread = std::thread([size, end = parked_->end.get_future()] {
    if (openmp_region() != nullptr) openmp_region()([](void*) {}, nullptr, size, 0);
    end.wait();
  });
}

IdleTeam::~IdleTeam() {
  parked_->end.set_value();
  parked_->thread.join();
}

void give_way_when_busy() {
  const std::string file = "/proc/self/task/" + std::to_string(gettid()) + "/schedstat";
  const auto now = read_waits(file);
  if (!now || openmp_region() == nullptr || at::get_num_threads() < 2) return;
  sigset_t all, before;  // signals are the main thread's
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread(watch, file, *now).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace perrin::kernels
