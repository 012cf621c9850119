#include "host/services/guard.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/AutogradState.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>
#include <c10/util/typeid.h>

#include <atomic>
#include <cfenv>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace perrin::services {
namespace {

#if defined(__x86_64__)
constexpr uint32_t control_bits = 0xffc0;  // the low six are sticky exception flags
uint32_t float_control() { return _mm_getcsr() & control_bits; }
void set_float_control(uint32_t control) {
  std::fesetround(static_cast<int>(control >> 13 & 3) << 10);  // the x87 side of the same choice
  _mm_setcsr((_mm_getcsr() & ~control_bits) | control);
}
#else
uint32_t float_control() {
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  return static_cast<uint32_t>(control);
}
void set_float_control(uint32_t control) { asm volatile("msr fpcr, %0" : : "r"(uint64_t{control})); }
#endif

at::CPUGeneratorImpl& generator() {
  static auto* impl = static_cast<at::CPUGeneratorImpl*>(at::detail::getDefaultCPUGenerator().unsafeGetGeneratorImpl());
  return *impl;
}

// Scopes begun and ended: odd while one lasts.
std::atomic<uint64_t> seedings{0};
std::recursive_mutex one_scope;
int depth = 0;  // of scopes inside each other, under one_scope

// Every draw moves the position; 624 draws, which bring it back, renew all words; the cached half of a normal pair
// counts.
void digest_generator(uint64_t (&digest)[4]) {
  const std::lock_guard lock(generator().mutex_);
  const auto pod = generator().engine().data();
  digest[0] = pod.seed_;
  digest[1] = uint64_t{static_cast<uint32_t>(pod.left_)} << 32 | pod.next_;
  digest[2] = uint64_t{pod.state_.front()} << 32 | pod.state_.back();
  digest[3] = uint64_t{generator().next_float_normal_sample().has_value()} |
              uint64_t{generator().next_double_normal_sample().has_value()} << 1;
}

int32_t autograd_bits() {
  const auto& state = c10::AutogradState::get_tls_state();
  return state.get_grad_mode() | state.get_inference_mode() << 1 | state.get_fw_grad_mode() << 2;
}

void restore_autograd(int32_t bits) {
  auto state = c10::AutogradState::get_tls_state();
  state.set_grad_mode(bits & 1);
  state.set_inference_mode(bits & 2);
  state.set_fw_grad_mode(bits & 4);
  c10::AutogradState::set_tls_state(state);
}

void restore_keys(const uint64_t (&keys)[2]) {
  auto set = c10::impl::tls_local_dispatch_key_set();
  set.included_ = c10::DispatchKeySet(c10::DispatchKeySet::RAW, keys[0]);
  set.excluded_ = c10::DispatchKeySet(c10::DispatchKeySet::RAW, keys[1]);
  c10::impl::_force_tls_local_dispatch_key_set(set);
}

// One bit or small number a setting. 32 bits hold them all.
uint32_t read_settings() {
  const at::Context& context = at::globalContext();
  uint32_t bits = 0;
  const auto add = [&](uint32_t value, int width) { bits = bits << width | value; };
  add(context.deterministicAlgorithms(), 1);
  add(context.deterministicAlgorithmsWarnOnly(), 1);
  add(context.deterministicFillUninitializedMemory(), 1);
  add(context.userEnabledCuDNN(), 1);
  add(context.benchmarkCuDNN(), 1);
  add(context.userEnabledMkldnn(), 1);
  add(at::autocast::is_autocast_cache_enabled(), 1);
  add(static_cast<uint32_t>(at::autocast::get_autocast_dtype(at::kCPU)), 8);
  add(static_cast<uint32_t>(at::autocast::get_autocast_dtype(at::kCUDA)), 8);
  return bits;
}

void restore_settings(uint32_t bits) {
  at::Context& context = at::globalContext();
  const auto next = [&](int width) {
    const uint32_t value = bits & ((1u << width) - 1);
    bits >>= width;
    return value;
  };
  at::autocast::set_autocast_dtype(at::kCUDA, static_cast<at::ScalarType>(next(8)));
  at::autocast::set_autocast_dtype(at::kCPU, static_cast<at::ScalarType>(next(8)));
  at::autocast::set_autocast_cache_enabled(next(1));
  context.setUserEnabledMkldnn(next(1));
  context.setBenchmarkCuDNN(next(1));
  context.setUserEnabledCuDNN(next(1));
  context.setDeterministicFillUninitializedMemory(next(1));
  const bool warn_only = next(1);
  context.setDeterministicAlgorithms(next(1), warn_only);
}

bool equal(const uint64_t* a, const uint64_t* b, int n) { return std::equal(a, a + n, b); }

// What differs first, and the rule that the plugin broke; empty if nothing does.
std::string find_leak(const GlobalState& before, const GlobalState& after) {
  if (!before.same_generator(after))
    return "drew from or seeded LibTorch's global random generator; perrin.rng/1 is the only source of random numbers";
  if (before.autograd != after.autograd)
    return "left LibTorch's grad mode changed; set it in a scope (at::AutoGradMode)";
  if (!equal(before.keys, after.keys, 2))
    return "left LibTorch's inference mode or autocast changed; set it in a scope";
  if (before.dtype != after.dtype) return "changed LibTorch's default dtype; give each tensor's dtype instead";
  if (before.threads != after.threads) return "changed LibTorch's number of threads, which is the user's setting";
  if (before.settings != after.settings)
    return "changed LibTorch's global settings (deterministic mode, cuDNN, oneDNN or autocast)";
  if (before.control != after.control) return "left the processor's rounding or flush-to-zero mode changed";
  return {};
}

}  // namespace

bool GlobalState::same_generator(const GlobalState& other) const {
  return seedings != other.seedings || seedings % 2 != 0 || equal(generator, other.generator, 4);
}

bool GlobalState::operator==(const GlobalState& other) const {
  return same_generator(other) && equal(keys, other.keys, 2) && autograd == other.autograd && dtype == other.dtype &&
         threads == other.threads && settings == other.settings && control == other.control;
}

GlobalState read_state() {
  GlobalState state;
  digest_generator(state.generator);
  state.seedings = seedings.load();
  const auto keys = c10::impl::tls_local_dispatch_key_set();
  state.keys[0] = keys.included_.raw_repr();
  state.keys[1] = keys.excluded_.raw_repr();
  state.autograd = autograd_bits();
  state.dtype = static_cast<int32_t>(c10::get_default_dtype_as_scalartype());
  state.threads = at::get_num_threads();
  state.settings = read_settings();
  state.control = float_control();
  return state;
}

void restore_state(const GlobalState& before) noexcept try {
  const GlobalState now = read_state();
  // The host never draws from it, so its seed says its state.
  if (!before.same_generator(now)) {
    const std::lock_guard lock(generator().mutex_);
    generator().set_current_seed(before.generator[0]);
  }
  if (before.autograd != now.autograd) restore_autograd(before.autograd);
  if (!equal(before.keys, now.keys, 2)) restore_keys(before.keys);
  if (before.dtype != now.dtype)
    c10::set_default_dtype(c10::scalarTypeToTypeMeta(static_cast<c10::ScalarType>(before.dtype)));
  if (before.threads != now.threads) at::set_num_threads(before.threads);
  if (before.settings != now.settings) restore_settings(before.settings);
  if (before.control != now.control) set_float_control(before.control);
} catch (...) {
}

void check_state(const GlobalState& before, const loader::Breadcrumb& call) {
  const GlobalState after = read_state();
  if (after == before) [[likely]]
    return;
  std::string leak = find_leak(before, after);
  restore_state(before);
  throw Misbehaviour("the plugin " + leak, describe(call));
}

void rethrow_from_plugin(const loader::Breadcrumb& call) {
  std::string message;
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  } catch (const std::exception& error) {
    message = error.what();
  } catch (...) {
    message = "something that is not a std::exception";
  }
  throw Misbehaviour("the plugin threw an exception across the ABI: " + message, describe(call));
}

struct SeededGenerator::Saved {
  at::mt19937 engine;
  std::optional<float> next_float;
  std::optional<double> next_double;
};

SeededGenerator::SeededGenerator(uint64_t seed) : alone_(one_scope), seed_(seed) {
  {
    const std::lock_guard lock(generator().mutex_);
    if (depth++ == 0) ++seedings;
    saved_.reset(new Saved{generator().engine(), generator().next_float_normal_sample(),
                           generator().next_double_normal_sample()});
  }
  rewind();
}

void SeededGenerator::rewind() {
  const std::lock_guard lock(generator().mutex_);
  generator().set_current_seed(seed_);
}

SeededGenerator::~SeededGenerator() {
  const std::lock_guard lock(generator().mutex_);
  generator().set_engine(saved_->engine);
  generator().set_next_float_normal_sample(saved_->next_float);
  generator().set_next_double_normal_sample(saved_->next_double);
  if (--depth == 0) ++seedings;
}

}  // namespace perrin::services
