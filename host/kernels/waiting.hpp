// How LibTorch's OpenMP threads wait for each other (docs/decisions/thread-waiting.md).
#pragma once

#include <cstdint>
#include <memory>

namespace perrin::kernels {

// Of one thread, since it began: nanoseconds in which it could have run and had no core, and how often it got one.
struct CoreWaits {
  uint64_t nanoseconds = 0, turns = 0;
};

// Do others want the cores, by what was waited in `nanoseconds` between two readings? Between the two bounds it stays as
// it was: short waits are the kernel's own, rare ones pass.
bool cores_are_wanted(bool before, const CoreWaits& from, const CoreWaits& to, uint64_t nanoseconds);

// A team of OpenMP threads that does nothing. While there is one, libgomp counts more threads than cores and lets every
// waiting thread look a hundred times before it sleeps, instead of GOMP_SPINCOUNT times (libgomp/env.c,
// config/linux/wait.h).
class IdleTeam {
 public:
  IdleTeam();
  ~IdleTeam();
  IdleTeam(const IdleTeam&) = delete;

 private:
  struct Parked;
  std::unique_ptr<Parked> parked_;
};

// Starts a thread that watches, five times a second, whether the calling thread gets a core when it wants one, and keeps
// an IdleTeam while it does not. No result changes. Does nothing where the kernel does not count waits.
void give_way_when_busy();

}  // namespace perrin::kernels
