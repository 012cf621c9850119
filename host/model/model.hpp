// The components of an experiment, loaded, connected and given parameters.
#pragma once

#include <perrin/kind/conditioner.h>
#include <perrin/kind/parameterization.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/config/load.hpp"
#include "host/loader/registry.hpp"
#include "host/model/data_record.hpp"
#include "host/model/parameters.hpp"
#include "host/model/shapes.hpp"
#include "host/model/time_table.hpp"
#include "host/services/component.hpp"

namespace perrin::model {

// Everything an experiment composes. Not movable: parts refer to each other.
class Model {
 public:
  // Loads only the libraries that the experiment names, creates each component, infers the shapes, checks that the
  // composition is possible. Throws config::Diagnostics with the place in the file. Allocates no parameters. With a
  // record of the run's data there is no dataset until data() is asked for it; `loaded` and `registry` stay borrowed.
  Model(const config::Loaded& loaded, loader::Registry& registry, std::shared_ptr<const DataRecord> record = nullptr,
        std::shared_ptr<services::Session> session = services::Session::of_process());
  Model(const Model&) = delete;

  // Allocates, initialises and binds the parameters of all components and of `more`, such as a training's losses, and
  // the host's own of latent.hpp.
  void build_parameters(const NamedComponents& more = {}, at::ScalarType dtype = at::kFloat);

  // The dataset. Throws Error where a run's data are gone, or have other fields than its record.
  services::Component& data();

  const config::Experiment& experiment;
  const std::shared_ptr<services::Session> session;  // of all its components
  const std::shared_ptr<const DataRecord> record;    // null: the dataset is there from the start
  // An extractor's experiment has neither encoder nor what follows it, one of first stages alone may lack what follows.
  services::Component dataset, extractor, encoder, denoiser, schedule, parameterization, weighting, timesteps, sampler,
      guidance;
  std::vector<services::Component> conditioners;
  TimeTable times;  // after the schedule knows the resolution
  Shapes shapes;
  ParameterSet parameters;
  std::set<std::string> given;   // groups of parameters, and states, that a file gave (given_weights.hpp)
  std::shared_ptr<Model> guide;  // of a guidance with perrin.guide-model/1; runs::load_guide fills it

  // The components that have parameters, by kind.
  NamedComponents trainable();

  // A file or folder that the experiment names, by the rules of perrin.artifact/1. Throws Error.
  std::filesystem::path find(const std::string& name, const std::string& reader = {}) const;

  bool diffuses() const { return static_cast<bool>(denoiser); }

  // The conditioners by their names in checkpoints, for what they have learnt beside weights.
  std::vector<std::pair<std::string, const services::Component*>> fitted() const;

  // F's coefficients at noise levels; throws what the parameterization refuses.
  std::vector<perrin_coefficients> coefficients(const std::vector<perrin_time>& at);

  // The weighting's [n] at step 1 .. n_steps of a stage; not checked.
  std::vector<double> weights(const std::vector<perrin_time>& at, const std::vector<perrin_coefficients>& c,
                              int64_t step, int64_t n_steps);

 private:
  std::function<services::Component()> make_dataset_;
  void infer(const config::Loaded& loaded);
  void infer_conditioning(const config::Loaded& loaded);
  void infer_extractor(const config::Loaded& loaded);
  void infer_diffusion(const config::Loaded& loaded);
  void check_prediction(const config::Loaded& loaded);
  void check_ends(const config::Loaded& loaded);
};

// The component that a table of the experiment asks for; empty where it asks for none. What it refuses becomes a
// diagnostic at its table.
services::Component make(const config::Loaded& loaded, loader::Registry& registry, const config::Component& component,
                         std::shared_ptr<services::Session> session);

// Runs `f`; what a component refuses becomes a diagnostic at its table in the file, or at `otherwise` if it has none.
template <class F>
auto placed(const config::Loaded& loaded, const config::Component& component, F&& f,
            const config::Location& otherwise = {}) {
  try {
    return f();
  } catch (const Error& error) {
    throw loaded.error(component.location.line > 0 ? component.location : otherwise,
                       "[" + component.kind + "] (" + component.use + "): " + error.what(), error.fix);
  }
}

}  // namespace perrin::model
