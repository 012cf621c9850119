// LibTorch's OpenMP runtime, whichever it is.
#pragma once

namespace perrin::kernels {

// The entry that every `#pragma omp parallel` calls, in libgomp and in libiomp5: runs `body` on `threads` threads. Null
// where LibTorch has no OpenMP.
using Region = void (*)(void (*body)(void*), void* data, unsigned threads, unsigned flags);
Region openmp_region();

}  // namespace perrin::kernels
