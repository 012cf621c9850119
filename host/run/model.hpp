// The components of an experiment, loaded, connected and given parameters.
#pragma once

#include <perrin/kind/conditioner.h>
#include <perrin/kind/parameterization.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/loader/registry.hpp"
#include "host/run/inputs.hpp"
#include "host/run/parameters.hpp"
#include "host/run/time_table.hpp"
#include "host/services/component.hpp"

namespace perrin::run {

class LatentCache;
struct DataRecord;

// Per-sample shapes on the way through the composition.
struct Shapes {
  std::vector<perrin_field> fields;  // of the dataset
  size_t image = 0;                  // which field is "image"
  perrin_spec x{}, z{}, prediction{};
  bool learnt_variance = false;  // prediction is [2 C, ...] where z is [C, ...]: F, then the variance of 2102.09672
  bool logits = false;           // prediction is [K], of a classifier: every loss of the experiment takes logits
  std::optional<perrin_conditioning_spec> conditioning;  // of all conditioners together
  std::vector<std::string> layers;                       // of the extractor
  std::vector<perrin_spec> layer_specs;
};

// What a stage trains: a first stage by its reconstruction, diffusion in the first stage's space, or an extractor.
enum class Task { diffusion, first_stage, extraction };

// One loss term of a stage.
struct LossTerm {
  std::string name;
  double weight = 1;
  int64_t start = 0;
  services::Component component;
  const config::Component* optimizer = nullptr;  // of an adversary; null: as the stage's
};

// Everything an experiment composes. Not movable: parts refer to each other.
class Model {
 public:
  // Loads only the libraries that the experiment names, creates each component, infers the shapes, checks that the
  // composition is possible. Throws config::Diagnostics with the place in the file. Allocates no parameters. With a
  // record of the run's data there is no dataset until data() is asked for it; `loaded` and `registry` stay borrowed.
  Model(const config::Loaded& loaded, loader::Registry& registry, std::shared_ptr<const DataRecord> record = nullptr);
  Model(const Model&) = delete;

  // Allocates, initialises and binds the parameters of all components, and the host's own of latent.hpp.
  void build_parameters(at::ScalarType dtype = at::kFloat);

  // The dataset. Throws Error where a run's data are gone, or have other fields than its record.
  services::Component& data();

  const config::Experiment& experiment;
  const std::shared_ptr<const DataRecord> record;  // null: the dataset is there from the start
  // An extractor's experiment has neither encoder nor what follows it, one of first stages alone may lack what follows.
  services::Component dataset, extractor, encoder, denoiser, schedule, parameterization, weighting, timesteps, sampler,
      guidance;
  std::vector<services::Component> conditioners;
  TimeTable times;  // after the schedule knows the resolution
  Shapes shapes;
  ParameterSet parameters;
  std::set<std::string> given;  // groups of parameters, and states, that a file gave (given_weights.hpp)
  std::vector<std::vector<LossTerm>> losses;  // of each stage
  InputFiles inputs;  // read_inputs, where a run is to be trained
  std::shared_ptr<LatentCache> latents;       // of [encoder] cache, where a stage trains diffusion; null: none
  std::shared_ptr<Model> guide;  // of a guidance with perrin.guide-model/1; sample::load_guide fills it

  // The components that have parameters, by kind.
  std::vector<std::pair<std::string, services::Component*>> trainable();

  Task task(const config::Stage& stage) const;
  bool diffuses() const { return static_cast<bool>(denoiser); }

  // The conditioners by their names in checkpoints, for what they have learnt beside weights.
  std::vector<std::pair<std::string, const services::Component*>> fitted() const;

  // Probability of conditioner i's null condition in this stage: the stage's own, else the conditioner's.
  double condition_drop(const config::Stage& stage, size_t i) const;

  // Throws Diagnostics, at the loss, where a loss misses an input or cannot have an optimizer, and at the denoiser where
  // no loss of a stage that trains it takes the variance that it predicts.
  void check_trainable(const config::Loaded& loaded) const;

  // F's coefficients at noise levels; throws what the parameterization refuses.
  std::vector<perrin_coefficients> coefficients(const std::vector<perrin_time>& at);

  // The weighting's [n] at step 1 .. n_steps of a stage; not checked.
  std::vector<double> weights(const std::vector<perrin_time>& at, const std::vector<perrin_coefficients>& c, int64_t step,
                              int64_t n_steps);

 private:
  std::function<services::Component()> make_dataset_;
  void load_losses(const config::Loaded& loaded, loader::Registry& registry);
  void infer(const config::Loaded& loaded);
  void infer_conditioning(const config::Loaded& loaded);
  void infer_extractor(const config::Loaded& loaded);
  void infer_diffusion(const config::Loaded& loaded);
  void infer_losses(const config::Loaded& loaded);
  void check_logits(const config::Loaded& loaded) const;
  void check_prediction(const config::Loaded& loaded);
  void check_ends(const config::Loaded& loaded);
};

// "[3, 32, 32]"
std::string shape_text(const perrin_spec& spec);

}  // namespace perrin::run
