// The losses of an experiment: the terms of each stage, loaded, and held against what the stages have for them.
#pragma once

#include <vector>

#include "host/train/objective/terms.hpp"
#include "host/train/stage.hpp"

namespace perrin::train {

struct Losses {
  // Loads the libraries that the stages' losses need, creates each, and tells it the shapes of its inputs. Throws
  // config::Diagnostics with the place in the file.
  Losses(const model::Model& model, const config::Loaded& loaded, loader::Registry& registry);
  Losses(const Losses&) = delete;

  // Their parameters, for Model::build_parameters.
  model::NamedComponents trainable(const config::Experiment& experiment);

  std::vector<std::vector<LossTerm>> stages;
};

// Throws Diagnostics, at its place in the file: a loss that misses an input or cannot have an optimizer, a stage that
// trains nothing or whose losses all start later, a denoiser none of whose losses takes the variance that it predicts.
void check_losses(const model::Model& model, const Losses& losses, const config::Loaded& loaded);

// Of a stage: trained_kinds, then the losses whose parameters its optimizer moves.
std::vector<std::string> trained_groups(const model::Model& model, const Losses& losses, const config::Loaded& loaded,
                                        size_t stage);

}  // namespace perrin::train
