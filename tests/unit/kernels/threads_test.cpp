#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "host/kernels/ops.hpp"

namespace perrin::kernels {
namespace {

TEST(TorchThreads, CoverTheRangeOnceOnMoreThanOneThread) {
  at::set_num_threads(2);
  std::vector<std::atomic<int>> visits(1000);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  torch_threads()(1000, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++visits[size_t(i)];
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  for (const auto& v : visits) ASSERT_EQ(v, 1);
  EXPECT_EQ(ids.size(), 2u);
}

TEST(TorchThreads, StayOnOneThreadBelowTheGrain) {
  int calls = 0;
  torch_threads()(100, 100, [&](int64_t begin, int64_t end) {
    ++calls;
    EXPECT_EQ(end - begin, 100);
  });
  torch_threads()(0, 100, [&](int64_t, int64_t) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(TorchThreads, AnExceptionReachesTheCaller) {
  EXPECT_THROW(torch_threads()(10, 1,
                               [](int64_t begin, int64_t) {
                                 if (begin > 0) throw std::runtime_error("x");
                               }),
               std::runtime_error);
}

}  // namespace
}  // namespace perrin::kernels
