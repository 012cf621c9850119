// All that a training run composes, loaded and given parameters.
#pragma once

#include "host/data/inputs.hpp"
#include "host/train/losses.hpp"

namespace perrin::life {

struct Composition {
  // Throws config::Diagnostics with the place in the file. `loaded` and `registry` stay borrowed.
  Composition(const config::Loaded& loaded, loader::Registry& registry,
              std::shared_ptr<services::Session> session = services::Session::of_process())
      : model(loaded, registry, nullptr, std::move(session)), losses(model, loaded, registry) {
    model.build_parameters(trainable_losses());
  }

  model::NamedComponents trainable_losses() { return losses.trainable(model.experiment); }

  model::Model model;
  train::Losses losses;
  data::InputFiles inputs;  // runs::read_inputs fills them
};

}  // namespace perrin::life
