// Adafactor (1804.04235, algorithms 4 and 5) without first moment; the largest relative step is the learning rate, as
// in torch.optim.Adafactor.
#include <ATen/ops/zeros.h>

#include "host/kernels/tensors.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {
namespace {

class Adafactor : public Rule {
 public:
  Adafactor(model::ParameterSet& parameters, const config::Component& keys) : parameters_(parameters), keys_(keys) {
    for (const model::Parameter* p : trained_parameters(parameters)) {
      const auto moment = [&](size_t i) { return at::zeros({matrix_sizes(*p)[i]}, parameters.values().options()); };
      moments_.push_back({p, moment(0), moment(1)});
    }
  }

  void update(const Update& u) override {
    kernels::Adafactor options{.lr = u.lr,
                               .decay_power = keys_.get<double>("decay_power"),
                               .eps1 = keys_.get<double>("eps1"),
                               .eps2 = keys_.get<double>("eps2"),
                               .clip = keys_.get<double>("clip"),
                               .step = u.step,
                               .grad_scale = u.grad_scale};
    for (const Moments& m : moments_) {
      const int64_t begin = m.parameter->offset, end = begin + m.parameter->count;
      const at::Tensor values = slice(parameters_.values(), begin, end);
      options.weight_decay = decays(keys_, m.parameter->decay) ? keys_.get<double>("weight_decay") : 0;
      kernels::adafactor(options, {values, slice(parameters_.gradients(), begin, end), m.row, m.column});
      if (u.ema.defined()) kernels::ema(u.ema_decay, values, slice(u.ema, begin, end));
    }
  }

  std::vector<StateTensor> state() const override {
    std::vector<StateTensor> all;
    for (const Moments& m : moments_) {
      all.push_back({"adafactor.row_moment." + m.parameter->name, m.row.sizes().vec(), m.row});
      all.push_back({"adafactor.column_moment." + m.parameter->name, m.column.sizes().vec(), m.column});
    }
    return all;
  }

 private:
  struct Moments {
    const model::Parameter* parameter;
    at::Tensor row, column;
  };
  model::ParameterSet& parameters_;
  const config::Component& keys_;
  std::vector<Moments> moments_;
};

}  // namespace

std::unique_ptr<Rule> make_adafactor(model::ParameterSet& parameters, const config::Component& keys) {
  return std::make_unique<Adafactor>(parameters, keys);
}

}  // namespace perrin::train
