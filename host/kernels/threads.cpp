// LibTorch's intra-op threads from outside. at::parallel_for is a template around an OpenMP pragma, so a file compiled
// without OpenMP silently runs it on one thread; compiling with OpenMP may bring a second runtime beside the one
// LibTorch ships (its library name differs between builds). Asking the process for the runtime that is already there
// fits every LibTorch.
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <exception>

#include "host/kernels/ops.hpp"
#include "host/kernels/threads.hpp"

namespace perrin::kernels {
namespace {

// Parts are handed out by a counter: results do not depend on which thread takes which.
struct Job {
  const std::function<void(int64_t, int64_t)>& body;
  int64_t n, part;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error{};

  void work() noexcept {
    for (int64_t begin; (begin = next.fetch_add(part)) < n && !failed;) {
      try {
        body(begin, std::min(n, begin + part));
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }
};

void run(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), (n + grain - 1) / std::max<int64_t>(grain, 1));
  if (threads <= 1 || openmp_region() == nullptr || at::in_parallel_region()) return serial(n, grain, body);
  Job job{body, n, (n + threads - 1) / threads};
  openmp_region()([](void* data) { static_cast<Job*>(data)->work(); }, &job, static_cast<unsigned>(threads), 0);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace

Region openmp_region() {
  static const Region region = reinterpret_cast<Region>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return region;
}

const ParallelFor& torch_threads() {
  static const ParallelFor threads = run;
  return threads;
}

}  // namespace perrin::kernels
