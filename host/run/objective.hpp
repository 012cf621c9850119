// One forward pass of training: from a batch to the loss, with every random number a function of the sample's position.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "host/run/model.hpp"
#include "host/run/pipeline.hpp"

namespace perrin::run {

// What the network is shown for a batch, and what it should say.
struct Draw {
  std::vector<perrin_time> times;                 // [B]
  std::vector<perrin_coefficients> coefficients;  // [B]
  std::vector<double> weight;                     // [B] weighting times importance
  std::vector<double> importance;                 // [B]
  std::vector<uint8_t> drop;                      // [B] not 0: null condition; empty without conditioner
  at::Tensor input;                               // [B, ...] c_in x_t, channels-last
  at::Tensor target;                              // [B, ...] target_x0 x_0 + target_noise eps
};

struct TermValue {
  std::string name;
  double value = 0;               // weighted mean over the batch, as it enters the total
  std::vector<float> per_sample;  // [B] unweighted
};

struct Objective {
  at::Tensor total;  // scalar with a graph
  std::vector<TermValue> terms;
};

// The image field as float32 in the model's range, [B, ...].
at::Tensor images(const Model& model, const Batch& batch);

// The conditioning of a batch's fields. drop: [B] or null.
class ConditioningHandles {
 public:
  ConditioningHandles(Model& model, const perrin_call& call, const std::vector<at::Tensor>& fields,
                      const uint8_t* drop);
  ~ConditioningHandles();
  ConditioningHandles(const ConditioningHandles&) = delete;
  const perrin_conditioning* get() const { return present_ ? &conditioning_ : nullptr; }

 private:
  bool present_ = false;
  perrin_conditioning conditioning_{};
};

// Draws t, eps and condition drops for x_0 = encoder(images), after `stage_step` of the stage's `stage_steps`.
Draw draw(Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, double condition_drop,
          int64_t stage_step, int64_t stage_steps);

// F(input, c_noise, conditioning).
at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning);

// The loss of one batch; terms that have not started by `stage_step` are left out. A learnt weighting is applied to the
// first, if that takes the weighting at all. Autocast is the caller's.
Objective objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, int64_t step, int64_t stage_step,
                    int64_t stage_steps, double condition_drop, Draw* drawn = nullptr);

// Shows a batch's times and unweighted first losses to a timestep law that follows the loss.
void observe(Model& model, const Draw& draw, const Objective& objective);

}  // namespace perrin::run
