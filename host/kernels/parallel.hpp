// How a pure kernel is given threads: a function object, so that the kernels do not know LibTorch.
#pragma once

#include <cstdint>
#include <functional>

namespace perrin::kernels {

// Calls body(begin, end) on disjoint ranges that cover [0, n), ranges of at least `grain` (but the last), and returns
// when all are done. Every kernel's result is independent of how the range is cut.
using ParallelFor =
    std::function<void(int64_t n, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& body)>;

// One call on the calling thread.
inline void serial(int64_t n, int64_t /*grain*/, const std::function<void(int64_t, int64_t)>& body) {
  if (n > 0) body(0, n);
}

}  // namespace perrin::kernels
