// What this machine can do at most: the figures beside which all others stand.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "host/kernels/isa.hpp"
#include "tests/bench/kernels/measure.hpp"

namespace perrin::bench {
namespace {

TEST(Limits, MatrixProductAndCopy) {
  std::printf("%d threads, %s\n", at::get_num_threads(), kernels::isa_name(kernels::active_isa()));
  for (auto type : {at::kFloat, at::kBFloat16}) {
    const auto a = at::randn({2048, 2048}).to(type), b = at::randn({2048, 2048}).to(type);
    const Time t = measure([&] { at::mm(a, b); });
    std::printf("matrix product 2048, %s: %.0f GFLOP/s\n", type == at::kFloat ? "float32" : "bfloat16",
                2 * 2048.0 * 2048 * 2048 / t.median / 1e9);
  }
  const auto from = at::randn({1 << 25}), to = at::randn({1 << 25});
  const Time t = measure([&] { to.copy_(from); });
  std::printf("copy of 128 MiB: %.1f GB/s read and written\n", 8.0 * (1 << 25) / t.median / 1e9);
}

}  // namespace
}  // namespace perrin::bench
