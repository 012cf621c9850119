// What is asked of sampling.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "host/sample/conditions.hpp"

namespace perrin::sample {

// What a caller may keep of sampling beside the samples, on the CPU.
struct Kept {
  at::Tensor noisy, clean;  // [count, ...] float32 where diffusion runs: x at the sampler's noisy and at its clean end
  ConditionTensors conditions;
};

struct Request {
  int64_t count = 64, batch_size = 64;
  uint64_t seed = 0;
  std::vector<int64_t> labels;  // [count] of the dataset's label field; empty: no class
  FieldValues given{};          // [count] of its other fields; with neither: the null condition or no conditioner
  FieldValues negative{};       // [count] what guidance leads away from, in the place of the null condition
  bool bf16 = false;
  std::function<void(int64_t done, int64_t total)> progress;  // denoiser calls, over all batches; may be empty
  std::function<bool()> cancelled;                            // may be empty
  at::Tensor start{};   // [count, ...] where diffusion runs: what x starts from; undefined: noise of the first level
  at::Tensor init{};    // [count, ...] where diffusion runs: data that samples start near; undefined: none
  double strength = 1;  // of init: the part of the steps that is run, from there with noise added (2108.01073)
  at::Tensor
      mask{};  // [count, 1, ...] as init: 1 where samples are free, 0 where D is init (2201.09865); undefined: free
  int64_t equal_every = 0;        // samples i and i + equal_every share their noise; 0: none do
  std::vector<double> way{};      // [count] 0 .. 1: from this request's condition and noise to those below; empty: none
  FieldValues toward{};           // [count] its condition; empty: the same
  uint64_t toward_seed = 0;       // of its noise, mixed on the sphere (slerp); used where `toward` is empty
  ConditionTensors conditions{};  // [count, ...] what conditioners made before; empty: they make it now
  Kept* kept = nullptr;           // filled; null: nothing is kept
};

}  // namespace perrin::sample
