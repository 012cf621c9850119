// What surrounds every call into a plugin: breadcrumb, exceptions, status, and a check that no process-wide state
// leaked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "host/loader/breadcrumb.hpp"
#include "host/loader/crash.hpp"
#include "host/services/accuse.hpp"
#include "host/services/status.hpp"

namespace perrin::services {

// State that belongs to the host and that a plugin could change behind its back. `threads` to `control` are per thread
// or process; generators of other devices are not looked at.
struct GlobalState {
  uint64_t generator[4];  // digest of the default CPU generator
  uint64_t seedings;      // how often it was seeded for a scope, and put back, by any thread
  uint64_t keys[2];       // LibTorch's dispatch keys of this thread: inference mode, autocast
  int32_t autograd;       // grad mode
  int32_t dtype;          // default
  int32_t threads;        // of LibTorch's operators
  uint32_t settings;      // LibTorch's: deterministic mode, cuDNN, oneDNN, autocast
  uint32_t control;       // rounding mode, flush to zero

  // The generator counts where no thread's scope touched it in between.
  bool operator==(const GlobalState& other) const;
  bool same_generator(const GlobalState& other) const;
};
GlobalState read_state();

// Puts back what differs and throws Misbehaviour that names the first difference and the rule; nothing if none differs.
void check_state(const GlobalState& before, const loader::Breadcrumb& call);
// The same without the error, for a call that has failed already.
void restore_state(const GlobalState& before) noexcept;

// Turns an exception that crossed the boundary into Misbehaviour; a perrin::Error goes on as it is.
[[noreturn]] void rethrow_from_plugin(const loader::Breadcrumb& call);

// Runs `call_plugin` (-> perrin_status*) as a call into the plugin that `call` names. Throws perrin::Error if it
// returns a status, throws, or leaves changed state behind.
template <class F>
void invoke(const loader::Breadcrumb& call, F&& call_plugin) {
  loader::use_crash_stack();
  const GlobalState before = read_state();
  perrin_status* status = nullptr;
  {
    loader::Inside mark(call.library, call.component, call.call);
    try {
      status = call_plugin();
    } catch (...) {
      restore_state(before);
      forget_accusation();
      rethrow_from_plugin(call);
    }
  }
  loader::end_forked_child();
  if (status != nullptr) {
    restore_state(before);
    throw_accusation();
    check(status, call);
  }
  check_state(before, call);
  throw_accusation();
}

// The default generator seeded for a scope, one scope at a time in this process; afterwards it is as it was.
class SeededGenerator {
 public:
  explicit SeededGenerator(uint64_t seed);
  ~SeededGenerator();
  SeededGenerator(const SeededGenerator&) = delete;
  SeededGenerator& operator=(const SeededGenerator&) = delete;
  void rewind();  // to the seed

 private:
  struct Saved;
  std::unique_lock<std::recursive_mutex> alone_;
  uint64_t seed_;
  std::unique_ptr<Saved> saved_;
};

// invoke for a call in which a plugin may initialise torch::nn modules, which draw from the default generator.
template <class F>
void invoke_seeded(const loader::Breadcrumb& call, uint64_t seed, F&& call_plugin) {
  SeededGenerator generator(seed);
  invoke(call, [&] {
    perrin_status* status = call_plugin();
    generator.rewind();
    return status;
  });
}

}  // namespace perrin::services
