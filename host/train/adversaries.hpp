// The second players of a stage: losses with perrin.adversary/1, each with an optimizer of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/train/objective/terms.hpp"
#include "host/train/optimizer.hpp"

namespace perrin::train {

class Adversaries {
 public:
  // Of the stage's terms, those that have parameters. All are borrowed; the parameters of `selected` stay selected.
  Adversaries(model::ParameterSet& parameters, const config::Stage& stage, std::vector<LossTerm>& terms);

  // After the stage's own backward pass over a batch: each player's, whose gradients reach its own parameters alone.
  // Adds the players' losses to `losses` by term, each times `share`.
  void oppose(const std::vector<Opposition>& seen, const perrin_call& call, double share,
              std::map<std::string, double>& losses);

  // After the stage's own update number `step` of the stage: one update of each player that has opposed since the last.
  // Returns the first gradient norm that is not finite, else 0.
  double update(int64_t step);

  // What goes on in checkpoints.
  std::vector<StateTensor> state() const;

 private:
  struct Player {
    std::string term, kind;
    config::Stage stage;  // as the adversary's optimizer sees it: its own settings, steps from `start` on, no average
    int64_t start = 0;
    std::unique_ptr<Optimizer> optimizer;
    bool opposed = false;
  };
  // Whose parameters have gradients, for a scope.
  class Turn;

  model::ParameterSet& parameters_;
  std::vector<std::unique_ptr<Player>> players_;  // optimizers refer to their stages
};

}  // namespace perrin::train
