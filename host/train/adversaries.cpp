#include "host/train/adversaries.hpp"

#include <ATen/core/Tensor.h>

#include <cmath>

namespace perrin::train {
namespace {

config::Stage stage_of(const config::Stage& stage, const LossTerm& term) {
  config::Stage own = stage;
  if (term.optimizer) own.optimizer = *term.optimizer;
  own.steps -= term.start;
  own.ema_decay = 0;
  own.table.values["ema"] = std::string("constant");
  return own;
}

}  // namespace

class Adversaries::Turn {
 public:
  Turn(model::ParameterSet& parameters, const std::string& kind)
      : parameters_(parameters), before_(parameters.selected()) {
    parameters_.select({kind});
  }
  ~Turn() { parameters_.select(before_); }
  Turn(const Turn&) = delete;

 private:
  model::ParameterSet& parameters_;
  const std::vector<std::string> before_;
};

Adversaries::Adversaries(model::ParameterSet& parameters, const config::Stage& stage, std::vector<LossTerm>& terms)
    : parameters_(parameters) {
  for (const LossTerm& term : terms) {
    const std::string kind = term_kind(stage, term);
    const model::ParameterGroup* group = parameters.group(kind);
    if (!is_adversary(term.component) || !group || group->count() == 0) continue;
    auto player = std::make_unique<Player>(Player{term.name, kind, stage_of(stage, term), term.start, nullptr, false});
    const Turn turn(parameters, kind);
    player->optimizer = std::make_unique<Optimizer>(parameters, player->stage);
    players_.push_back(std::move(player));
  }
}

void Adversaries::oppose(const std::vector<Opposition>& seen, const perrin_call& call, double share,
                         std::map<std::string, double>& losses) {
  for (const Opposition& opposition : seen) {
    for (auto& player : players_) {
      if (player->term != opposition.term->name) continue;
      const Turn turn(parameters_, player->kind);
      const at::Tensor loss = train::oppose(opposition, call);
      losses[player->term] += loss.item<double>() * share;
      loss.backward();
      player->opposed = true;
    }
  }
}

double Adversaries::update(int64_t step) {
  double bad = 0;
  for (auto& player : players_) {
    if (!std::exchange(player->opposed, false)) continue;
    const Turn turn(parameters_, player->kind);
    const double norm = player->optimizer->update(step - player->start).grad_norm;
    if (!std::isfinite(norm) && bad == 0) bad = norm;
  }
  return bad;
}

std::vector<StateTensor> Adversaries::state() const {
  std::vector<StateTensor> all;
  for (const auto& player : players_) {
    const Turn turn(parameters_, player->kind);
    const std::vector<StateTensor> own = player->optimizer->state();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

}  // namespace perrin::train
