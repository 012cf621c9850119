// Gradient descent with momentum, as torch.optim.SGD without dampening.
#include "host/kernels/tensors.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {
namespace {

class Sgd : public FlatRule {
 public:
  Sgd(model::ParameterSet& parameters, const config::Component& keys)
      : FlatRule(parameters, keys,
                 keys.get<double>("momentum") > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}) {
  }

 private:
  void step(const Update& u, const Piece& piece) const override {
    const kernels::Sgd options{.lr = u.lr,
                               .momentum = number("momentum"),
                               .l2 = piece.decay ? number("weight_decay") : 0,
                               .nesterov = keys().get<bool>("nesterov"),
                               .grad_scale = u.grad_scale,
                               .ema_decay = u.ema_decay};
    const at::Tensor moment = piece.moments.empty() ? at::Tensor() : piece.moments[0];
    kernels::sgd_ema(options, {piece.values, piece.gradients, moment, piece.ema});
  }
};

}  // namespace

std::unique_ptr<Rule> make_sgd(model::ParameterSet& parameters, const config::Component& keys) {
  return std::make_unique<Sgd>(parameters, keys);
}

}  // namespace perrin::train
