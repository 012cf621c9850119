#include "host/kernels/waiting.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

#include "host/kernels/ops.hpp"

namespace perrin::kernels {
namespace {

constexpr uint64_t ms = 1'000'000, us = 1'000;

TEST(Waiting, ABusyMachineMakesAThreadWaitOftenAndLong) {
  const CoreWaits from{7 * ms, 100};
  EXPECT_TRUE(cores_are_wanted(false, from, {from.nanoseconds + 120 * ms, 120}, 200 * ms));   // preempted by others
  EXPECT_TRUE(cores_are_wanted(false, from, {from.nanoseconds + 100 * ms, 150}, 200 * ms));   // woken late
  EXPECT_FALSE(cores_are_wanted(false, from, from, 200 * ms));                                // never waited
  EXPECT_FALSE(cores_are_wanted(false, from, {from.nanoseconds + 4 * ms, 101}, 200 * ms));    // once, by a daemon
  EXPECT_FALSE(cores_are_wanted(false, from, {from.nanoseconds + 40 * ms, 2100}, 200 * ms));  // 20 us a wake-up: quiet
}

TEST(Waiting, BetweenTheBoundsItStaysAsItWas) {
  const CoreWaits from, to{6 * ms, 30};
  EXPECT_FALSE(cores_are_wanted(false, from, to, 200 * ms));
  EXPECT_TRUE(cores_are_wanted(true, from, to, 200 * ms));
  EXPECT_FALSE(cores_are_wanted(true, from, {60 * us, 1}, 200 * ms));
}

TEST(Waiting, RegionsRunWhileIdleTeamsComeAndGo) {
  at::set_num_threads(2);
  std::optional<IdleTeam> team;
  for (int turn = 0; turn < 40; ++turn) {
    if (turn % 4 == 0) team.emplace();
    if (turn % 4 == 2) team.reset();
    std::atomic<int64_t> sum{0};
    torch_threads()(1000, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sum += i;
    });
    ASSERT_EQ(sum, 499500) << "turn " << turn;
  }
}

double processor_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

// With OMP_WAIT_POLICY=active, which CTest sets, a thread that waits looks for ever.
TEST(Waiting, BesideAnIdleTeamThreadsThatWaitSleep) {
  at::set_num_threads(2);
  const IdleTeam team;
  const auto burnt = [] {
    torch_threads()(2, 1, [](int64_t, int64_t) {});
    const double begin = processor_ms();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return processor_ms() - begin;
  };
  burnt();  // the team has parked meanwhile
  EXPECT_LT(burnt(), 20);
}

}  // namespace
}  // namespace perrin::kernels
