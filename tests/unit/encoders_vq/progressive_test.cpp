// The encoder `progressive` through the ABI: its joints, its end, and what it trains on before that.
#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/unit/encoders_vq/stepped.hpp"

namespace perrin::testing {
namespace {

Values three_levels(const Values& more = {}) {
  return with(with(small_first_stage(), {{"channels", std::vector<int64_t>{8, 8, 16}}}), more);
}

Values growing(const Values& more = {}) {
  return with(three_levels({{"grow_every", int64_t{10}}, {"fade", int64_t{4}}}), more);
}

Bound bound() {
  Bound net = encoder("progressive", growing(), {1, 16, 16});
  separate_buffers(net);
  return net;
}

// As after so many steps of training.
void set_steps(Bound& net, double steps) { net.at("steps").value.detach()[0].fill_(steps); }

struct Out {
  at::Tensor z, x;
};
Out at_step(Bound& net, double steps, const at::Tensor& x) {
  set_steps(net, steps);
  const auto z = encode_at(net, x, 0).detach();
  return {z, decode_at(net, z, 0).detach()};
}

TEST(Progressive, ends_as_the_autoencoder_bit_for_bit) {
  Bound net = bound(), full = encoder("autoencoder", three_levels(), {1, 16, 16});
  for (Declared& d : full.declared) d.value.detach().copy_(net.at(d.name).value);
  const auto x = waves(2, 1, 16);
  const auto grown = at_step(net, 24, x);
  EXPECT_TRUE(grown.z.equal(encode_at(full, x, 0)));
  EXPECT_TRUE(grown.x.equal(decode_at(full, grown.z, 0)));
}

// At a joint the new level has share 0: the same bits as before it. From there on the latent moves in equal parts
// towards the new network's.
TEST(Progressive, fades_in_without_a_jump) {
  Bound net = bound();
  const auto x = waves(2, 1, 16), z = at_step(net, 0, x).z;
  for (const double joint : {10.0, 20.0}) {
    const auto before = at_step(net, joint - 1, x), at = at_step(net, joint, x), after = at_step(net, joint + 4, x);
    EXPECT_TRUE(at.z.equal(before.z)) << joint;
    EXPECT_TRUE(at.x.equal(before.x)) << joint;
    EXPECT_GT(apart(after.z, before.z), 1e-3) << joint;
    for (double k = 1; k < 4; ++k) {
      const auto between = before.z + (after.z - before.z) * (k / 4);
      EXPECT_LT(apart(at_step(net, joint + k, x).z, between), 1e-5) << joint << " + " << k;
      set_steps(net, joint + k);
      const auto image = decode_at(net, z, 0).detach();
      set_steps(net, joint);
      const auto old = decode_at(net, z, 0).detach();
      set_steps(net, joint + 4);
      const auto fresh = decode_at(net, z, 0).detach();
      EXPECT_LT(apart(image, old + (fresh - old) * (k / 4)), 1e-5) << joint << " + " << k;
    }
  }
}

TEST(Progressive, coarse_images_are_pixels_repeated_and_coarse_input_is_means) {
  Bound net = bound();
  const auto x = waves(2, 1, 16);
  const auto mean = [](const at::Tensor& image, int64_t n) { return at::avg_pool2d(image, {n, n}); };
  for (const auto& [steps, n] : {std::pair{0.0, int64_t{4}}, {15.0, int64_t{2}}}) {
    const auto out = at_step(net, steps, x);
    ASSERT_EQ(out.x.sizes(), x.sizes());
    const auto corners = out.x.slice(2, 0, 16, n).slice(3, 0, 16, n);
    EXPECT_TRUE(corners.repeat_interleave(n, 2).repeat_interleave(n, 3).equal(out.x)) << steps;
    const auto blocks = mean(x, n).repeat_interleave(n, 2).repeat_interleave(n, 3);
    EXPECT_LT(apart(encode_at(net, blocks.contiguous(at::MemoryFormat::ChannelsLast), 0).detach(), out.z), 1e-5);
  }
}

// sum (x - y)^2 over a block whose y is one pixel repeated is n (mean x - y)^2 and something that y does not change:
// the squared error of the whole image trains on the reduced one.
TEST(Progressive, the_squared_error_trains_on_the_area_reduced_image) {
  Bound net = bound();
  const auto x = waves(2, 1, 16), reduced = at::avg_pool2d(x, {4, 4});
  const auto gradient = [&](bool small) {
    set_steps(net, 0);
    net.gradients.zero_();
    const auto y = decode_at(net, encode_at(net, x, 0), 0);
    (small ? (at::avg_pool2d(y, {4, 4}) - reduced) : (y - x)).square().mean().backward();
    return net.gradients.clone();
  };
  const auto whole = gradient(false);
  EXPECT_GT(whole.abs().max().item<double>(), 0);
  EXPECT_LT(apart(gradient(true), whole), 1e-4);
}

TEST(Progressive, counts_steps_of_training_alone_and_each_once) {
  Bound net = bound();
  const auto x = waves(2, 1, 16);
  const auto steps = [&] { return net.at("steps").value[0].item<double>(); };
  encode_at(net, x, 0);
  EXPECT_EQ(steps(), 0);
  for (const uint32_t step : {101u, 101u, 102u, 103u, 103u}) decode_at(net, encode_at(net, x, step), step);
  EXPECT_EQ(steps(), 3);
  // Another instance that is given the buffers goes on where this one is.
  Bound resumed = bound();
  resumed.values.copy_(net.values);
  resumed.at("steps").value.copy_(net.at("steps").value);
  for (uint32_t step = 104; step < 115; ++step) {
    const auto a = encode_at(net, x, step), b = encode_at(resumed, x, step);
    EXPECT_TRUE(a.equal(b)) << step;
  }
}

TEST(Progressive, refuses_what_cannot_grow) {
  const auto said = [](const Values& values, std::vector<int64_t> x) {
    try {
      encoder("progressive", values, x);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(said(growing({{"fade", int64_t{11}}}), {1, 16, 16}).find("grow_every = 10"), std::string::npos);
  EXPECT_NE(said(growing({{"weights", std::string("x.safetensors")}}), {1, 16, 16}).find("autoencoder"),
            std::string::npos);
  EXPECT_NE(said(growing(), {1, 18, 16}).find("multiples of 4"), std::string::npos);
  EXPECT_NE(said(growing(), {1, 4, 16, 16}).find("[C, H, W]"), std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
