// Adam (1412.6980, algorithm 1) with coupled, AdamW (1711.05101, algorithm 2) with decoupled weight decay.
#include "host/kernels/tensors.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {
namespace {

class Adam : public FlatRule {
 public:
  Adam(model::ParameterSet& parameters, const config::Component& keys)
      : FlatRule(parameters, keys, {"first_moment", "second_moment"}) {}

 private:
  void step(const Update& u, const Piece& piece) const override {
    const double decay = piece.decay ? number("weight_decay") : 0;
    const bool decoupled = keys().use == "adamw";
    const kernels::AdamW options{.lr = u.lr,
                                 .beta1 = number("beta1"),
                                 .beta2 = number("beta2"),
                                 .eps = number("eps"),
                                 .weight_decay = decoupled ? decay : 0,
                                 .l2 = decoupled ? 0 : decay,
                                 .step = u.step,
                                 .grad_scale = u.grad_scale,
                                 .ema_decay = u.ema_decay};
    kernels::adamw_ema(options, {piece.values, piece.gradients, piece.moments[0], piece.moments[1], piece.ema});
  }
};

}  // namespace

std::unique_ptr<Rule> make_adam(model::ParameterSet& parameters, const config::Component& keys) {
  return std::make_unique<Adam>(parameters, keys);
}

}  // namespace perrin::train
