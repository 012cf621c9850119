#include "tests/unit/plugins_b/transformers.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/model/autocast.hpp"

namespace perrin::testing {
namespace {

struct Run {
  at::Tensor output, gradient;
};

Run run(Bound& net, const Batch& in) {
  net.gradients.zero_();
  const auto out = forward(net.component, in.x, in.c_noise, in.condition);
  out.to(at::kFloat).square().mean().backward();
  return {out.detach().to(at::kFloat), net.gradients.clone()};
}

double relative(const at::Tensor& a, const at::Tensor& b) { return a.sub(b).norm().div(b.norm()).item<double>(); }

Condition narrowed(const Condition& c, int64_t i) {
  const auto one = [i](const at::Tensor& t) { return t.defined() ? t.narrow(0, i, 1) : t; };
  return {one(c.vector), one(c.sequence), one(c.concat)};
}

}  // namespace

Values Dit::values() const {
  return {{"patch", patch},
          {"width", width},
          {"depth", depth},
          {"heads", heads},
          {"mlp_ratio", mlp_ratio},
          {"learnt_variance", learnt_variance},
          {"gradient_checkpointing", gradient_checkpointing}};
}

Values UVit::values() const {
  return {{"patch", patch}, {"width", width},         {"depth", depth},
          {"heads", heads}, {"mlp_ratio", mlp_ratio}, {"gradient_checkpointing", gradient_checkpointing}};
}

Values Edm2::values() const {
  return {{"channels", channels},   {"layers_per_block", layers_per_block},
          {"attention", attention}, {"head_channels", head_channels},
          {"time", time},           {"dropout", dropout},
          {"gradient_checkpointing", gradient_checkpointing}};
}

perrin_conditioning_spec spec_of(const Condition& condition) {
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  const auto fill = [&c](const at::Tensor& t, uint32_t slot, perrin_spec& s) {
    if (!t.defined()) return;
    c.slots |= slot;
    s = spec(t.sizes().slice(1).vec());
  };
  fill(condition.vector, PERRIN_SLOT_VECTOR, c.vector);
  fill(condition.sequence, PERRIN_SLOT_SEQUENCE, c.sequence);
  fill(condition.concat, PERRIN_SLOT_CONCAT, c.concat);
  return c;
}

Batch batch(std::vector<int64_t> x, uint32_t slots, int64_t n) {
  at::manual_seed(0);
  Batch in;
  if (slots & PERRIN_SLOT_VECTOR) in.condition.vector = at::randn({n, 6});
  if (slots & PERRIN_SLOT_SEQUENCE) in.condition.sequence = at::randn({n, 5, 12});
  if (slots & PERRIN_SLOT_CONCAT) in.condition.concat = at::randn({n, 2, x[1], x[2]});
  x.insert(x.begin(), n);
  in.x = at::randn(x);
  in.c_noise = at::arange(n, at::kFloat).mul(0.7).sub(1);
  return in;
}

Bound stirred(const std::string& id, Values values, const Batch& in, uint64_t seed) {
  const auto c = spec_of(in.condition);
  Bound net = denoiser(id, std::move(values), spec(in.x.sizes().slice(1).vec()), c.slots ? &c : nullptr);
  auto generator = at::detail::createCPUGenerator(seed);
  net.values.normal_(0, 0.3, generator);
  return net;
}

void expect_exact_checkpointing(const std::string& id, const Values& off, const Values& on, const Batch& in) {
  Bound plain = stirred(id, off, in), checkpointed = stirred(id, on, in);
  ASSERT_TRUE(plain.values.equal(checkpointed.values));
  const Run a = run(plain, in), b = run(checkpointed, in);
  EXPECT_TRUE(a.output.equal(b.output)) << "outputs " << relative(b.output, a.output) << " apart";
  EXPECT_TRUE(a.gradient.equal(b.gradient)) << "gradients " << relative(b.gradient, a.gradient) << " apart";
  EXPECT_GT(a.gradient.norm().item<double>(), 0);
}

Relative bf16_error(Bound& net, const Batch& in) {
  const Run full = run(net, in);
  const model::Autocast autocast(at::kCPU, true);
  const Run half = run(net, in);
  return {relative(half.output, full.output), relative(half.gradient, full.gradient)};
}

void expect_conditions_and_samples_apart(const Bound& net, const Batch& in) {
  const at::NoGradGuard no_grad;
  const auto all = forward(net.component, in.x, in.c_noise, in.condition);
  EXPECT_TRUE(all.equal(forward(net.component, in.x, in.c_noise, in.condition))) << "two evaluations differ";
  const double size = all.abs().max().item<double>();
  const auto apart = [&](const at::Tensor& other, const at::Tensor& of) {
    return other.sub(of).abs().max().item<double>() / size;
  };
  for (at::Tensor Condition::*slot : {&Condition::vector, &Condition::sequence, &Condition::concat}) {
    if (!(in.condition.*slot).defined()) continue;
    Condition other = in.condition;
    other.*slot = at::randn((in.condition.*slot).sizes());
    EXPECT_GT(apart(forward(net.component, in.x, in.c_noise, other), all), 1e-3);
  }
  EXPECT_GT(apart(forward(net.component, in.x, in.c_noise.add(0.5), in.condition), all), 1e-3)
      << "the time has no effect";
  for (int64_t i = 0; i < in.x.size(0); ++i) {
    const auto one =
        forward(net.component, in.x.narrow(0, i, 1), in.c_noise.narrow(0, i, 1), narrowed(in.condition, i));
    EXPECT_LT(apart(one, all.narrow(0, i, 1)), 1e-5) << "sample " << i << " alone";
  }
}

std::string refusal_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

void expect_refusal(const std::string& id, const Values& values, const perrin_spec& x,
                    const perrin_conditioning_spec* conditioning, std::initializer_list<const char*> parts) {
  const std::string message = refusal_of([&] { denoiser(id, values, x, conditioning); });
  for (const char* part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

}  // namespace perrin::testing
