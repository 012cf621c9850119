// The parameters and buffers of a run's components, owned by the host in flat float32 buffers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "host/services/component.hpp"

namespace perrin::model {

// Components by the names that their parameters are kept under; borrowed.
using NamedComponents = std::vector<std::pair<std::string, services::Component*>>;

// One declared tensor. Parameters lie in their component's range, those with weight decay first.
struct Parameter {
  std::string name;  // "<kind>.<declared name>": "denoiser.conv_in.weight"
  std::vector<int64_t> sizes;
  uint32_t role = 0;  // PERRIN_PARAMETER .. PERRIN_SCRATCH
  bool decay = true;
  bool normalise = false;  // as perrin_param::normalise
  int64_t offset = -1;     // first element in the flat buffer; -1: a buffer or scratch tensor of its own
  int64_t count = 0;       // elements
  int64_t tied_to = -1;    // index of the parameter whose memory this one shares
  at::Tensor tensor;       // what the component is bound to: a view of the flat values, or a tensor of its own
};

// A piece of the flat buffer with one setting of weight decay.
struct Range {
  int64_t begin = 0, end = 0;
  bool decay = true;
};

// All tensors of one component.
struct ParameterGroup {
  std::string kind;
  services::Component* component = nullptr;  // borrowed; null: buffers of the host's own
  std::vector<Parameter> parameters;         // in declared order
  std::vector<Range> ranges;                 // of the flat buffer, at most two

  int64_t count() const;  // trainable elements
};

class ParameterSet {
 public:
  // Asks each component that has perrin.params/1, allocates, initialises from `seed` and binds. Initial values are a
  // function of (seed, name, element) only. `options`: where they live; float32, or float64 for gradient checks.
  void build(const NamedComponents& components, uint64_t seed, const at::TensorOptions& options);

  // Gives each listed component trainable parameters with gradients in the flat buffer, which the first call allocates,
  // and freezes the others.
  void train_only(const std::vector<std::string>& kinds);
  void zero_gradients();  // after train_only

  // The same without touching what gradients hold: whose turn it is where several optimizers move different components.
  void select(const std::vector<std::string>& kinds);
  const std::vector<std::string>& selected() const { return trained_; }

  // A float64 tensor of the host's own that checkpoints keep: group `kind`, named "<kind>.<name>". After build.
  at::Tensor add_buffer(const std::string& kind, const std::string& name, const at::Tensor& value);

  // Scales the rows of the trained parameters that asked for it; `normalises`: there are such.
  void normalise() const;
  bool normalises() const;

  // Binds the components to other flat values (the EMA) until bind_values() is called; no gradients.
  void bind_to(const at::Tensor& flat);
  void bind_values();

  const at::Tensor& values() const { return values_; }        // [count] flat
  const at::Tensor& gradients() const { return gradients_; }  // [count] flat; undefined before train_only
  std::vector<Range> trained_ranges() const;
  const std::vector<ParameterGroup>& groups() const { return groups_; }
  const ParameterGroup* group(const std::string& kind) const;

 private:
  void bind_group(ParameterGroup& group);
  ParameterGroup& group_of_host(const std::string& kind);
  bool trained(const ParameterGroup& group) const;

  std::vector<ParameterGroup> groups_;
  std::vector<std::string> trained_;
  at::Tensor values_, gradients_;
};

}  // namespace perrin::model
