// rng and lincomb as plugins call them: the kernels' numbers, layouts, refusals.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include "host/kernels/random.hpp"
#include "perrin/host/lincomb.h"
#include "perrin/host/rng.h"
#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

constexpr perrin_stream kStream = {7, PERRIN_PURPOSE_SAMPLER, 3};

const perrin_host_rng& rng() { return service<perrin_host_rng>(PERRIN_HOST_RNG); }
const perrin_host_lincomb& combine() { return service<perrin_host_lincomb>(PERRIN_HOST_LINCOMB); }

at::Tensor noise(at::IntArrayRef sizes, uint64_t seed, at::ScalarType dtype = at::kFloat) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed), dtype);
}

TEST(Rng, gives_the_hosts_streams) {
  std::vector<float> normal(9), direct(9);
  rng().normal(kStream, 5, 2, normal.size(), normal.data());
  random::normal({kStream.seed, kStream.purpose, kStream.step}, 5, 2, direct);
  EXPECT_EQ(normal, direct);
  std::vector<double> u(4), part(2);
  rng().uniform_double(kStream, 1, 0, 4, u.data());
  rng().uniform_double(kStream, 1, 2, 2, part.data());
  EXPECT_EQ(u[3], part[1]) << "a number depends on the range that was asked for";
  uint32_t bits[3] = {};
  float v[3] = {};
  rng().bits(kStream, 0, 0, 3, bits);
  rng().uniform(kStream, 0, 0, 3, v);
  EXPECT_EQ(v[1], static_cast<float>((bits[1] >> 8) + 1) * 0x1p-24f);
}

at::Tensor lincomb(const std::vector<double>& a, const std::vector<at::Tensor>& x, double s = 0,
                   const std::vector<uint64_t>& samples = {}) {
  std::vector<services::TensorHandle> held;
  std::vector<perrin_tensor*> raw;
  for (const auto& each : x) raw.push_back(held.emplace_back(services::wrap(each)).get());
  perrin_tensor* y = nullptr;
  EXPECT_EQ(
      outcome(combine().lincomb(static_cast<uint32_t>(a.size()), a.data(), raw.data(), s, kStream, samples.data(), &y)),
      "");
  services::TensorHandle result(y);
  return services::unwrap(y);
}

TEST(Lincomb, sums_in_both_precisions) {
  Balance balance;
  for (auto dtype : {at::kFloat, at::kDouble}) {
    const at::Tensor a = noise({3, 4, 5}, 1, dtype), b = noise({3, 4, 5}, 2, dtype);
    EXPECT_TRUE(lincomb({2}, {a}).equal(2 * a));
    EXPECT_TRUE(lincomb({0.5, -1}, {a, b}).allclose(0.5 * a - b, 1e-6, 1e-7));
  }
}

TEST(Lincomb, adds_each_samples_own_noise_in_contiguous_order) {
  const at::Tensor x = at::zeros_like(noise({2, 3, 4, 4}, 1));
  const std::vector<uint64_t> samples = {11, 4};
  const at::Tensor y = lincomb({1}, {x}, 2, samples);
  for (int64_t b : {0, 1}) {
    std::vector<float> expected(48);
    rng().normal(kStream, samples[static_cast<size_t>(b)], 0, 48, expected.data());
    for (int64_t i : {0, 17, 47}) EXPECT_EQ(y[b].flatten()[i].item<float>(), 2 * expected[static_cast<size_t>(i)]);
  }
  const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(lincomb({1}, {last}, 2, samples).equal(y)) << "noise depends on the layout";
  EXPECT_TRUE(lincomb({1}, {x.slice(0, 1)}, 2, {4})[0].equal(y[1])) << "noise depends on the batch";
}

TEST(Lincomb, keeps_a_common_layout_and_takes_mixed_or_strided_ones) {
  const at::Tensor a = noise({2, 3, 4, 4}, 1), b = noise({2, 3, 4, 4}, 2);
  const auto last = at::MemoryFormat::ChannelsLast;
  const at::Tensor y = lincomb({1, 1}, {a.contiguous(last), b.contiguous(last)});
  EXPECT_TRUE(y.is_contiguous(last));
  EXPECT_TRUE(y.equal(lincomb({1, 1}, {a, b.contiguous(last)})));
  const at::Tensor wide = noise({2, 3, 4, 8}, 3);
  EXPECT_TRUE(lincomb({3}, {wide.slice(3, 0, 8, 2)}).equal(3 * wide.slice(3, 0, 8, 2)));
  EXPECT_EQ(lincomb({1}, {noise({0, 3}, 1)}, 1, {}).numel(), 0);
}

std::string refusal(const std::vector<at::Tensor>& x, double s = 0) {
  std::vector<services::TensorHandle> held;
  std::vector<perrin_tensor*> raw;
  for (const auto& each : x) raw.push_back(held.emplace_back(services::wrap(each)).get());
  const std::vector<double> a(x.size() + 1, 1.0);
  perrin_tensor* y = nullptr;
  const uint64_t samples[] = {0, 1, 2, 3};
  auto text =
      outcome(combine().lincomb(static_cast<uint32_t>(x.size()), a.data(), raw.data(), s, kStream, samples, &y));
  EXPECT_EQ(y, nullptr);
  return text;
}

TEST(Lincomb, refuses_what_it_cannot_add) {
  Balance balance;
  EXPECT_EQ(refusal({}), "4: lincomb of 0 tensors; 1 to 16 are possible");
  EXPECT_EQ(refusal(std::vector<at::Tensor>(17, noise({2}, 1))), "4: lincomb of 17 tensors; 1 to 16 are possible");
  EXPECT_EQ(refusal({noise({2}, 1), noise({3}, 1)}), "6: lincomb of Float [2] and Float [3]");
  EXPECT_EQ(refusal({noise({2}, 1), noise({2}, 1, at::kDouble)}), "6: lincomb of Float [2] and Double [2]");
  EXPECT_EQ(refusal({at::arange(3)}), "4: lincomb of Long [3]; float32 and float64 are possible");
  EXPECT_EQ(refusal({noise({}, 1)}, 1), "6: lincomb with noise of a tensor without a batch dimension");
}

}  // namespace
}  // namespace perrin::test
