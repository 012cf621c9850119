// A tier B component with parameters, as a test or benchmark holds it: loaded through the host's services, parameters
// in one flat buffer. Values start from LibTorch's generator, seeded by the caller.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "host/config/value.hpp"
#include "host/services/component.hpp"

namespace perrin::testing {

using Values = std::map<std::string, config::Value>;

// The library of the built-in components of a kind, loaded once.
const loader::Library& library(const std::string& kind);

// Component `id` of library perrin-<kind>s.so in the folder of built plugins. `values`: every key of its schema.
services::Component load(const std::string& kind, const std::string& id, Values values);
services::Component load_file(const std::string& file, const std::string& kind, const std::string& id, Values values);

// The keys of `unet`.
struct UNet {
  std::vector<int64_t> channels = {8, 16};
  int64_t groups = 4, head_channels = 8, layers_per_block = 2;
  std::vector<int64_t> attention = {-1};
  int64_t heads = 0;
  std::vector<int64_t> transformer_depth = {0};
  bool linear_projection = false, scale_shift_norm = false, learnt_variance = false, gradient_checkpointing = false;
  double dropout = 0, norm_eps = 1e-5, freq_shift = 0;
  bool flip_sin_to_cos = true, add_attention = true;
  int64_t downsample_padding = 1;
  Values values() const;
};

perrin_spec spec(std::vector<int64_t> sizes, uint32_t dtype = PERRIN_FLOAT32);

struct Declared {
  std::string name;
  std::vector<int64_t> sizes;
  uint32_t init;
  double init_a;
  uint32_t role;     // PERRIN_PARAMETER .. PERRIN_SCRATCH
  at::Tensor value;  // a parameter is a leaf; its grad() is a view of Bound::gradients
};

class Bound {
 public:
  // After the component's infer: asks for its parameters, allocates, initialises, binds. Dtype float32 or float64.
  explicit Bound(services::Component component, at::ScalarType dtype = at::kFloat, uint64_t seed = 0);

  // Gives the components its own tensors again after `values` changed their identity.
  void bind(bool requires_grad);
  Declared& at(const std::string& name);

  services::Component component;
  std::vector<Declared> declared;
  at::Tensor values, gradients;  // flat
};

// Denoiser: x's shape in, parameters bound.
Bound denoiser(const std::string& id, Values values, perrin_spec x,
               const perrin_conditioning_spec* conditioning = nullptr, at::ScalarType dtype = at::kFloat);

// Numbers that a denoiser trains, from what it declares: allocates nothing.
int64_t parameter_count(const std::string& id, Values values, perrin_spec x,
                        const perrin_conditioning_spec* conditioning = nullptr);

// Calls forward; undefined tensors of a condition are passed as NULL. Training, unless `training` says otherwise;
// sample b stands at position first + b of the run.
struct Condition {
  at::Tensor vector, sequence, concat;
};
struct When {
  bool training = true;
  uint64_t first = 0, seed = 0;
};
at::Tensor forward(const services::Component& denoiser, const at::Tensor& x, const at::Tensor& c_noise,
                   const Condition& condition = {}, const When& when = {});

// Calls a loss.
at::Tensor loss(const services::Component& loss, const at::Tensor& prediction, const at::Tensor& target);

}  // namespace perrin::testing
