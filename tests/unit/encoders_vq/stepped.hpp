// Encoders called at a step of training, and a quantiser held as the host holds one.
#pragma once

#include "plugins/encoders/quantizer.hpp"
#include "tests/unit/encoders_ae/held.hpp"

namespace perrin::testing {

// Sample b of the batch stands at position first + b; step 0: evaluation. Run seed 3.
struct At {
  explicit At(int64_t n, uint32_t step = 0, uint64_t first = 0);
  std::vector<uint64_t> samples;
  perrin_call call{};
};

at::Tensor encode_at(const Bound& net, const at::Tensor& x, uint32_t step);
at::Tensor decode_at(const Bound& net, const at::Tensor& z, uint32_t step);
std::vector<at::Tensor> encode_training_at(const Bound& net, const at::Tensor& x, uint32_t step);
std::vector<double> traced(const Bound& net);

// Gives buffers memory of their own, outside of net.values, and no gradient, as the host has it.
void separate_buffers(Bound& net);

// In float64. `drawn`: the codes' values, U(-1 / n, 1 / n) from seed 0 of LibTorch's generator, are not from a file.
class HeldQuantizer {
 public:
  explicit HeldQuantizer(const first_stage::Quantizer::Settings& settings, int64_t width, bool drawn = false);
  at::Tensor& operator[](const std::string& name);  // a leaf; of a parameter with a gradient
  void copy(HeldQuantizer& from);

  std::optional<first_stage::Quantizer> quantizer;

 private:
  Parameters p_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> values_;
};

}  // namespace perrin::testing
