// Lion (2302.06675, algorithm 2).
#include "host/kernels/tensors.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {
namespace {

class Lion : public FlatRule {
 public:
  Lion(model::ParameterSet& parameters, const config::Component& keys) : FlatRule(parameters, keys, {"momentum"}) {}

 private:
  void step(const Update& u, const Piece& piece) const override {
    const kernels::Lion options{.lr = u.lr,
                                .beta1 = number("beta1"),
                                .beta2 = number("beta2"),
                                .weight_decay = piece.decay ? number("weight_decay") : 0,
                                .grad_scale = u.grad_scale,
                                .ema_decay = u.ema_decay};
    kernels::lion_ema(options, {piece.values, piece.gradients, piece.moments[0], piece.ema});
  }
};

}  // namespace

std::unique_ptr<Rule> make_lion(model::ParameterSet& parameters, const config::Component& keys) {
  return std::make_unique<Lion>(parameters, keys);
}

}  // namespace perrin::train
