// Sampling as `perrin sample` does it, in the benchmark's process: an experiment with the benchmark's U-Net, ddim, no
// guidance.
#pragma once

#include <memory>

#include "host/model/model.hpp"
#include "host/store/safetensors.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::bench {

class Sampling {
 public:
  // bf16: autocast, as samples.precision = "bf16".
  Sampling(const perrin::testing::UNet& unet, int64_t batch, bool bf16);

  // "weight.<name>" of `file` becomes the denoiser's <name>.
  void take_weights(const store::SafeTensors& file);
  at::Tensor noise() const;  // [batch, 1, 32, 32]: the x_T of sample()
  at::Tensor sample();       // [batch, 1, 32, 32], after 10 steps

 private:
  int64_t batch_;
  bool bf16_;
  config::Loaded loaded_;
  std::unique_ptr<model::Model> model_;
};

}  // namespace perrin::bench
