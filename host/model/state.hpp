// What components have learnt beside weights: perrin.state/1.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/services/component.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::model {

// The components, by name in checkpoints, whose perrin.state/1 goes on; those without it are passed over.
using Stateful = std::vector<std::pair<std::string, const services::Component*>>;

// A copy of what a component has learnt. [bytes]
at::Tensor state_of(const services::Component& component);

// Takes it up from the tensor `name` of a file. Throws Error for one that is refused.
void load_state(const services::Component& component, const std::string& name, const store::TensorView& held,
                const std::filesystem::path& file);

}  // namespace perrin::model
