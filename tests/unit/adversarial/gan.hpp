// The loss `adversarial` as the host holds it: parameters frozen for the autoencoder's loss, trained by its own.
#pragma once

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

// Every key's default, but for those given.
Values adversarial(Values given = {});

struct Step {
  bool training = true;
  uint64_t first = 0;  // position of the first sample
  uint32_t step = 1;
  uint64_t seed = 0;
};

class Gan {
 public:
  // x: [C, H, W]. Throws perrin::Error where the component refuses.
  Gan(Values given, std::vector<int64_t> x, at::ScalarType dtype = at::kFloat);

  at::Tensor values(const Tensors& inputs, const Step& step = {});
  at::Tensor oppose(const Tensors& inputs, const Step& step = {});
  std::vector<std::string> inputs() const;
  std::vector<double> trace() const;  // in the order of its names

  // Sets the parameters and buffers whose name ends with `ending`.
  void fill(const std::string& ending, double value);

  Bound net;

 private:
  void bind(bool trained);
};

}  // namespace perrin::testing
