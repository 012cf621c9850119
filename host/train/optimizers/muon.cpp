// Muon (Keller Jordan, https://kellerjordan.github.io/posts/muon/): decayed weights with two dimensions or more move by
// their momentum made orthogonal, all at the RMS of an AdamW step (2502.16982, section 2.2); the others by AdamW.
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "host/kernels/tensors.hpp"
#include "host/train/optimizers/rule.hpp"

namespace perrin::train {
namespace {

// U V^T of m = U S V^T, roughly: five quintic Newton-Schulz steps leave singular values between 0.7 and 1.2.
at::Tensor orthogonalised(const at::Tensor& m) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;  // the post's
  const bool tall = m.size(0) > m.size(1);
  at::Tensor x = (tall ? m.t() : m).div(std::max(kernels::norm2(m.view(-1)), 1e-7));
  for (int i = 0; i < 5; ++i) {
    const at::Tensor gram = at::mm(x, x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, b, c), x, a);
  }
  return tall ? x.t() : x;
}

class Muon : public Rule {
 public:
  Muon(model::ParameterSet& parameters, const config::Component& keys) : parameters_(parameters), keys_(keys) {
    for (const model::Parameter* p : trained_parameters(parameters)) {
      const auto moment = [&] { return at::zeros({p->count}, parameters.values().options()); };
      const bool matrix = p->decay && p->sizes.size() >= 2;
      moments_.push_back({p, moment(), matrix ? at::Tensor() : moment()});
    }
  }

  void update(const Update& u) override {
    for (const Moments& m : moments_) {
      const int64_t begin = m.parameter->offset, end = begin + m.parameter->count;
      const Piece piece{slice(parameters_.values(), begin, end),
                        slice(parameters_.gradients(), begin, end),
                        slice(u.ema, begin, end),
                        {m.first, m.second},
                        decays(keys_, m.parameter->decay)};
      m.second.defined() ? adamw(u, piece) : muon(u, piece, matrix_sizes(*m.parameter));
    }
  }

  std::vector<StateTensor> state() const override {
    std::vector<StateTensor> all;
    for (const Moments& m : moments_) {
      const std::string first = m.second.defined() ? "muon.first_moment." : "muon.momentum.";
      all.push_back({first + m.parameter->name, m.parameter->sizes, m.first});
      if (m.second.defined()) all.push_back({"muon.second_moment." + m.parameter->name, m.parameter->sizes, m.second});
    }
    return all;
  }

 private:
  struct Moments {
    const model::Parameter* parameter;
    at::Tensor first, second;  // [count]; without the second it is Muon's
  };

  void muon(const Update& u, const Piece& piece, const std::vector<int64_t>& sizes) const {
    const double momentum = keys_.get<double>("momentum");
    const at::Tensor g = piece.gradients.mul(u.grad_scale);
    piece.moments[0].lerp_(g, 1 - momentum);
    const at::Tensor direction =
        orthogonalised(g.lerp(piece.moments[0], momentum).view(sizes));                       // Nesterov's look-ahead
    const double scale = 0.2 * std::sqrt(static_cast<double>(std::max(sizes[0], sizes[1])));  // 2502.16982 Eq. 4
    piece.values.view(sizes).mul_(1 - u.lr * keys_.get<double>("weight_decay")).add_(direction, -u.lr * scale);
    if (piece.ema.defined()) kernels::ema(u.ema_decay, piece.values, piece.ema);
  }

  void adamw(const Update& u, const Piece& piece) const {
    const kernels::AdamW options{.lr = u.lr,
                                 .beta1 = keys_.get<double>("beta1"),
                                 .beta2 = keys_.get<double>("beta2"),
                                 .eps = keys_.get<double>("eps"),
                                 .weight_decay = piece.decay ? keys_.get<double>("weight_decay") : 0,
                                 .step = u.step,
                                 .grad_scale = u.grad_scale,
                                 .ema_decay = u.ema_decay};
    kernels::adamw_ema(options, {piece.values, piece.gradients, piece.moments[0], piece.moments[1], piece.ema});
  }

  model::ParameterSet& parameters_;
  const config::Component& keys_;
  std::vector<Moments> moments_;
};

}  // namespace

std::unique_ptr<Rule> make_muon(model::ParameterSet& parameters, const config::Component& keys) {
  return std::make_unique<Muon>(parameters, keys);
}

}  // namespace perrin::train
