// Run-time choice of instruction set: one body, compiled three times, chosen by what the processor has.
//
// A kernel is a struct with one always-inlined static function `run`; dispatch<Kernel>(args...) calls the copy compiled
// for active_isa(). Bodies are plain loops with every rounding written out (std::fma where the product is fused, the
// target is compiled with -ffp-contract=off), so all copies give the same bits unless a kernel's header says otherwise.
#pragma once

#define PERRIN_INLINE [[gnu::always_inline]] inline
#define PERRIN_AVX2 [[gnu::target("avx2,fma,bmi,bmi2,f16c,lzcnt,movbe")]]
#define PERRIN_AVX512 \
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2,f16c,lzcnt,movbe,prefer-vector-width=512")]]

namespace perrin::kernels {

enum class Isa : int { baseline = 0, avx2 = 1, avx512 = 2 };

// The best level of this processor, asked once.
Isa best_isa();
// The level dispatch() uses: best_isa() unless lowered by limit_isa or by PERRIN_ISA=baseline|avx2|avx512.
Isa active_isa();
// Lowers (or restores) the level for the whole process; a level above best_isa() is cut to it. For tests and
// benchmarks; not to be called while kernels run on other threads.
void limit_isa(Isa isa);
const char* isa_name(Isa isa);

namespace detail {
template <class Kernel, class... Args>
void run_baseline(Args... args) {
  Kernel::run(args...);
}
template <class Kernel, class... Args>
PERRIN_AVX2 void run_avx2(Args... args) {
  Kernel::run(args...);
}
template <class Kernel, class... Args>
PERRIN_AVX512 void run_avx512(Args... args) {
  Kernel::run(args...);
}
}  // namespace detail

// Arguments are passed by value: pointers and numbers.
template <class Kernel, class... Args>
void dispatch(Args... args) {
  switch (active_isa()) {
    case Isa::avx512:
      return detail::run_avx512<Kernel, Args...>(args...);
    case Isa::avx2:
      return detail::run_avx2<Kernel, Args...>(args...);
    case Isa::baseline:
      return detail::run_baseline<Kernel, Args...>(args...);
  }
}

}  // namespace perrin::kernels
