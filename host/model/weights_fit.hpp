// Does a file of weights fit a component's parameters?
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "host/model/parameters.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::model {

// A tensor of `perrin weights export`: what a component with perrin.state/1 has learnt. [bytes]
inline constexpr const char* kWeightsState = "perrin.state";

// Tied parameters and scratch are in no file that we write.
bool is_saved(const Parameter& p);

// The name that the component declares.
std::string own_name(const ParameterGroup& group, const Parameter& p);

// One group of parameters and the file that it starts from; all are borrowed.
class WeightsFit {
 public:
  // Throws Error where the component's names stand behind several prefixes.
  WeightsFit(const config::Component& component, const ParameterGroup& group, const store::SafeTensors& file);

  // Throws Error that lists what is missing, unexpected, misshapen or not finite.
  void require() const;

  // The file's value of a saved parameter, to_q, to_k and to_v one behind another for "to_qkv"; undefined where it has
  // none. REQUIRES, for its shape: require() did not throw.
  at::Tensor value(const Parameter& p) const;

 private:
  bool known(const std::string& name) const;
  void check(const Parameter& p);
  std::string difference() const;

  const config::Component& component_;
  const ParameterGroup& group_;
  const store::SafeTensors& file_;
  const std::string prefix_;
  std::vector<std::string> missing_, unexpected_, misshapen_;
};

}  // namespace perrin::model
