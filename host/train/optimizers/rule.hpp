// How an optimizer moves weights: one rule for each of config::optimizers(), one file each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/config/experiment.hpp"
#include "host/model/parameters.hpp"

namespace perrin::train {

// One tensor of an optimizer's state.
struct StateTensor {
  std::string name;  // in checkpoints: "<optimizer>.<what>.<parameter>"
  std::vector<int64_t> sizes;
  at::Tensor tensor;  // contiguous, with as many elements
};

struct Update {
  double lr = 0;
  int64_t step = 1;       // of the stage
  double grad_scale = 1;  // multiplies every gradient: clipping, 1 / accumulated batches
  at::Tensor ema;         // [count] flat, follows the weights; undefined: no average
  double ema_decay = 0;
};

class Rule {
 public:
  virtual ~Rule() = default;
  // Moves what is trained. Bits depend on values, gradients, state and update alone.
  virtual void update(const Update& update) = 0;
  // Of what is trained; the tensors are the state itself.
  virtual std::vector<StateTensor> state() const = 0;
};

// A range of the flat buffers, or one parameter.
struct Piece {
  at::Tensor values, gradients, ema;  // [n]; ema may be undefined
  std::vector<at::Tensor> moments;    // [n] each
  bool decay = true;
};

// Elements [begin, end) of a flat tensor; undefined of an undefined one.
at::Tensor slice(const at::Tensor& flat, int64_t begin, int64_t end);

// Is a parameter decayed whose own setting is `own`?
bool decays(const config::Component& keys, bool own);

// Rules that treat all elements alike: flat moments that start at 0, one step for each range of the flat buffers.
class FlatRule : public Rule {
 public:
  // `moments`: their names in checkpoints. Borrows both.
  FlatRule(model::ParameterSet& parameters, const config::Component& keys, std::vector<std::string> moments);
  void update(const Update& update) final;
  std::vector<StateTensor> state() const final;

 protected:
  virtual void step(const Update& update, const Piece& piece) const = 0;
  double number(const char* key) const { return keys_.get<double>(key); }
  const config::Component& keys() const { return keys_; }

 private:
  model::ParameterSet& parameters_;
  const config::Component& keys_;
  std::vector<std::string> names_;
  int64_t begin_ = 0;                // of the flat buffers, where what is trained begins
  std::vector<at::Tensor> moments_;  // [n] flat, from there to its end
};

// The parameters with memory of their own in the trained ranges, in order.
std::vector<const model::Parameter*> trained_parameters(const model::ParameterSet& parameters);

// [first, product of the others]; a vector is a matrix of one column.
std::vector<int64_t> matrix_sizes(const model::Parameter& parameter);

// All borrow both; what is trained may not change afterwards.
using MakeRule = std::unique_ptr<Rule>(model::ParameterSet& parameters, const config::Component& keys);
MakeRule make_adafactor, make_adam, make_lion, make_muon, make_sgd;  // make_adam: adam and adamw

// The rule called keys.use.
MakeRule make_rule;

}  // namespace perrin::train
