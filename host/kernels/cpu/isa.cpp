#include "host/kernels/isa.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string_view>

namespace perrin::kernels {
namespace {

Isa detect() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::baseline;
}

Isa from_environment() {
  const char* value = std::getenv("PERRIN_ISA");
  if (value == nullptr) return best_isa();
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (std::string_view(value) == isa_name(isa)) return std::min(isa, best_isa());
  }
  return best_isa();
}

std::atomic<Isa>& level() {
  static std::atomic<Isa> isa{from_environment()};
  return isa;
}

}  // namespace

Isa best_isa() {
  static const Isa isa = detect();
  return isa;
}

Isa active_isa() { return level().load(std::memory_order_relaxed); }

void limit_isa(Isa isa) { level().store(std::min(isa, best_isa()), std::memory_order_relaxed); }

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::baseline:
      return "baseline";
  }
  return "unknown";
}

}  // namespace perrin::kernels
