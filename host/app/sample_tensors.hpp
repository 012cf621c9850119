// The tensors that `perrin sample` is given and keeps: noise, latents, conditions.
#pragma once

#include "host/app/options.hpp"
#include "host/sample/generate.hpp"

namespace perrin::app {

// What the files of --latents and --conditions have.
struct GivenTensors {
  at::Tensor start;                     // [n, ...] float32 where diffusion runs; undefined: not given
  sample::ConditionTensors conditions;  // [n, ...]; empty: not given
  std::optional<int64_t> count() const;  // n
};

// Reads and checks them. Throws Error for a name, shape or dtype that does not fit, a value that is not finite, and,
// usage, for options that do not go together.
GivenTensors read_tensors(const model::Model& model, const options::variables_map& values);

// Writes `file`: samples [count, ...] float32, in the model's range, or the latents of an inversion; their classes, as
// labels [count]; and what was asked to be kept: start and latents, conditions.
void write_tensors(const std::filesystem::path& file, const at::Tensor& samples, const sample::Request& request,
                   const options::variables_map& values);

}  // namespace perrin::app
