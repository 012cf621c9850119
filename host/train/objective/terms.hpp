// The loss terms of a stage: what each is given (perrin.loss-inputs/1 in sdk, kind/loss.h), and what it says of a
// batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/experiment.hpp"
#include "host/services/component.hpp"

namespace perrin::train {

// One loss term of a stage.
struct LossTerm {
  std::string name;
  double weight = 1;
  int64_t start = 0;
  services::Component component;
  const config::Component* optimizer = nullptr;  // of an adversary; null: as the stage's
};

struct InputName {
  std::string_view name;
  bool optional = false;  // "last_layer?" in the plugin's list: left out where a composition does not have it
};
std::vector<InputName> inputs_of(const services::Component& loss);
bool takes(const services::Component& loss, std::string_view name);

// Does the weighting leave its values alone?
bool unweighted(const services::Component& loss);

// Does nothing of a denoiser but its variance learn from it?
bool variance_only(const services::Component& loss);

// A second player, whose parameters minimise a loss of their own?
bool is_adversary(const services::Component& loss);

// "loss.first-stage.adversarial": what a term's parameters are kept under.
std::string term_kind(const config::Stage& stage, const LossTerm& term);

// Makes an input when a loss asks for it; undefined if the composition does not have it. All are borrowed.
using Inputs = std::function<at::Tensor(std::string_view name)>;

struct TermValue {
  std::string name;
  double value = 0;               // mean over the batch, weighted, as it enters the total
  std::vector<float> per_sample;  // [B] unweighted
};

// What an adversary saw, without graphs.
struct Opposition {
  LossTerm* term = nullptr;
  std::vector<std::pair<std::string, at::Tensor>> inputs;
};

struct Objective {
  at::Tensor total;  // scalar with a graph
  std::vector<TermValue> terms;
  std::vector<Opposition> oppositions;

  // Adds a term's mean. values: [B] as they count; plain: [B] before weights.
  void add(const std::string& name, double weight, const at::Tensor& values, const at::Tensor& plain);
};

// [B], unweighted, with a graph. Throws Error for an input that is neither there nor optional, and for a loss that
// gives something else. Notes in `objective`, unless null, what an adversary saw.
at::Tensor evaluate(LossTerm& term, const perrin_call& call, const Inputs& inputs, Objective* objective);

// Adds the means of the terms that have started, unweighted by noise levels.
void add_terms(Objective& objective, std::vector<LossTerm>& terms, const perrin_call& call, const Inputs& inputs);

// The second player's loss of what it saw: a scalar with a graph to its own parameters.
at::Tensor oppose(const Opposition& opposition, const perrin_call& call);

}  // namespace perrin::train
