// The keys of `dit`, `uvit` and `edm2-unet`, and what any denoiser must hold to.
#pragma once

#include <functional>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

struct Dit {
  int64_t patch = 2, width = 32, depth = 2, heads = 2;
  double mlp_ratio = 4;
  bool learnt_variance = false, gradient_checkpointing = false;
  Values values() const;
};

struct UVit {
  int64_t patch = 2, width = 32, depth = 2, heads = 2;
  double mlp_ratio = 4;
  bool gradient_checkpointing = false;
  Values values() const;
};

struct Edm2 {
  std::vector<int64_t> channels = {8, 16};
  int64_t layers_per_block = 1;
  std::vector<int64_t> attention = {-1};
  int64_t head_channels = 8;
  std::string time = "fourier";
  double dropout = 0;
  bool gradient_checkpointing = false;
  Values values() const;
};

// The slots that a condition fills, with its shapes.
perrin_conditioning_spec spec_of(const Condition& condition);

// A batch of B with the conditions asked for: vector [B, 6], sequence [B, 5, 12], concat [B, 2, H, W]. Seeds LibTorch's
// generator with 0.
struct Batch {
  at::Tensor x, c_noise;
  Condition condition;
};
Batch batch(std::vector<int64_t> x, uint32_t slots, int64_t n = 3);

// The denoiser for a batch's shapes, every value drawn from N(0, 0.3^2): what starts from zero hides what is behind it.
Bound stirred(const std::string& id, Values values, const Batch& in, uint64_t seed = 0);

// Output and gradients are the same bits with gradient checkpointing.
void expect_exact_checkpointing(const std::string& id, const Values& off, const Values& on, const Batch& in);

// |bf16 - fp32| / |fp32| of output and of gradient, root mean squares, under the host's kind of autocast.
struct Relative {
  double output, gradient;
};
Relative bf16_error(Bound& net, const Batch& in);

// Every condition changes the output; a sample alone and in a batch agree to 1e-5 of the output's size.
void expect_conditions_and_samples_apart(const Bound& net, const Batch& in);

// The error that f throws, or "accepted".
std::string refusal_of(const std::function<void()>& f);
// Refused, with all `parts` in the message.
void expect_refusal(const std::string& id, const Values& values, const perrin_spec& x,
                    const perrin_conditioning_spec* conditioning, std::initializer_list<const char*> parts);

}  // namespace perrin::testing
